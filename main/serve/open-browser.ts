import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { rm, writeFile } from 'node:fs/promises'
import { insideStore } from '#app/library/inside-store.ts'

const command = (target: string): [string, string[]] => {
  if (process.platform === 'darwin') return ['open', [target]]
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', target]]
  return ['xdg-open', [target]]
}

/** Without a display xdg-open would start a text browser in the background, or fail late. */
const hasDisplay = (): boolean =>
  process.platform !== 'linux' ||
  Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? process.env['WSL_DISTRO_NAME'])

/** The file that leads the browser to a link. It is removed when the link was used, or the studio ends. */
export const launchFile = (scratch: string): string => insideStore(scratch, 'open.html')

/**
 * Opens the default browser. The address holds the launch token and other users of the machine can read a process's
 * arguments, so the browser gets a file of this user's that leads there. False when no browser could be started.
 */
export async function openBrowser(url: string, file: string): Promise<boolean> {
  if (!hasDisplay()) return false
  const page = `<!doctype html><meta charset="utf-8"><title>Frameloom</title><meta http-equiv="refresh" content="0;url=${url}">`
  try {
    await writeFile(file, page, { mode: 0o600 })
  } catch {
    return false // a full disk: the link is printed
  }
  const [program, args] = command(pathToFileURL(file).href)
  const opened = await new Promise<boolean>((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.on('error', () => {
      resolve(false)
    })
    child.on('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
  if (!opened) await rm(file, { force: true })
  return opened
}
