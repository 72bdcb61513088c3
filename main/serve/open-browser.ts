import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { rm, writeFile } from 'node:fs/promises'

const command = (target: string): [string, string[]] => {
  if (process.platform === 'darwin') return ['open', [target]]
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', target]]
  return ['xdg-open', [target]]
}

/** Without a display xdg-open would start a text browser in the background, or fail late. */
const hasDisplay = (): boolean =>
  process.platform !== 'linux' ||
  Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? process.env['WSL_DISTRO_NAME'])

export type OpenedBrowser = { opened: boolean; forget: () => Promise<void> }

/**
 * Opens the default browser. The address holds the launch token and other users of the machine can read a process's
 * arguments, so the browser gets a file of this user's that leads there; `forget` removes it. `opened` is false when no
 * browser could be started.
 */
export async function openBrowser(url: string, file: string): Promise<OpenedBrowser> {
  const forget = (): Promise<void> => rm(file, { force: true })
  if (!hasDisplay()) return { opened: false, forget }
  const page = `<!doctype html><meta charset="utf-8"><title>Frameloom</title><meta http-equiv="refresh" content="0;url=${url}">`
  try {
    await writeFile(file, page, { mode: 0o600 })
  } catch {
    return { opened: false, forget } // a full disk: the link is printed
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
  if (!opened) await forget()
  return { opened, forget }
}
