import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, loadConfigFromFile } from 'vite'
import { appRoot } from '#main/paths.ts'

/** Builds programs of vite.node.config.ts for a test, in a folder of their own inside the repository, where they find their packages. */
export async function buildForTest(input: Record<string, string>): Promise<{ folder: string; remove(): void }> {
  const cache = join(appRoot(), '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'test-'))
  const loaded = await loadConfigFromFile(
    { command: 'build', mode: 'production' },
    join(appRoot(), 'vite.node.config.ts'),
  )
  const config = loaded!.config
  Object.assign(config.build!, { outDir: folder, emptyOutDir: false, sourcemap: false })
  config.build!.rolldownOptions!.input = input
  await build({ ...config, root: appRoot(), configFile: false, logLevel: 'warn' })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const engineInput = { engine: 'app/engine/main.ts', 'engine-worker': 'app/engine/worker.ts' }
