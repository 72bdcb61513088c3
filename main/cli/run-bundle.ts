import { fileURLToPath } from 'node:url'

/** Becomes another program of the build, in this very process: its exit code and its signals are ours. */
export async function runBundle(name: 'serve', args: readonly string[]): Promise<void> {
  const url = new URL(`./${name}.js`, import.meta.url)
  process.argv = [process.execPath, fileURLToPath(url), ...args]
  await import(/* @vite-ignore */ url.href)
}
