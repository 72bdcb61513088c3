import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'

const command = (target: string): [string, string[]] => {
  if (process.platform === 'darwin') return ['open', [target]]
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', target]]
  return ['xdg-open', [target]]
}

/**
 * Opens the default browser. The address holds the launch token and other users of the machine can read a process's arguments, so
 * the browser gets a file of this user's that leads there. Resolves false when no browser could be started; never rejects.
 */
export function openBrowser(url: string, file: string): Promise<{ opened: boolean; forget: () => Promise<void> }> {
  const page = `<!doctype html><meta charset="utf-8"><title>Frameloom</title><meta http-equiv="refresh" content="0;url=${url}">`
  writeFileSync(file, page, { mode: 0o600 })
  const forget = (): Promise<void> => rm(file, { force: true })
  return new Promise((resolve) => {
    const [program, args] = command(pathToFileURL(file).href)
    const child = spawn(program, args, { stdio: 'ignore', detached: true })
    child.on('error', () => resolve({ opened: false, forget }))
    child.on('spawn', () => {
      child.unref()
      resolve({ opened: true, forget })
    })
  })
}
