import { spawn } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { downloadElectron, electronBinary, windowEnvironment } from './electron.mjs'
import { onPinnedNode } from './node.mjs'
import { fail, root, tie } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'

// `npm start`: sets up what is missing and opens the studio, in an Electron window or, where that cannot be had, in the
// browser.
const log = (line) => console.log(line)
const wanted = process.argv.includes('--serve') ? 'serve' : process.env.FRAMELOOM_HOST
const args = process.argv.slice(2).filter((arg) => arg !== '--serve')
if (wanted !== undefined && wanted !== 'serve' && wanted !== 'electron') {
  fail(`FRAMELOOM_HOST is "${wanted}": use "electron" or "serve".`)
}

checkNode()
await ensureInstalled(log)
await onPinnedNode(log)
if (!(await ensureBuilt(log))) fail('the build failed: see above.')

const obstacle = wanted === 'serve' ? '' : await openElectron()
if (obstacle !== undefined) {
  if (wanted === 'electron') fail(`no Electron window: ${obstacle}.`)
  if (obstacle) log(`No Electron window (${obstacle}): opening the studio in the browser.`)
  await serve()
}

/** Runs the window until it is closed. Returns what stood in the way when there was none. */
async function openElectron() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'there is no display'
  if (process.platform === 'linux' && process.getuid?.() === 0) return 'its sandbox does not run as root'
  const found = electronBinary()
  const { binary, reason } = found ? { binary: found } : await downloadElectron({ force: wanted === 'electron', log })
  if (!binary) return `its binary could not be downloaded: ${reason}`

  const env = windowEnvironment(process.env)
  const started = Date.now()
  const child = spawn(binary, [root, ...args], { stdio: 'inherit', env })
  tie(child)
  const { code, signal, error } = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  if (code === 0) process.exit(0)
  // A missing system library or a forbidden sandbox ends it at once; anything later is a crash to be seen, not a host
  // to be changed.
  if (Date.now() - started > 5_000 && !error) process.exit(code ?? 1)
  return error?.message ?? `it ended at once with ${signal ?? `code ${code}`}`
}

/** In this very process, so that it ends when this one is ended. */
async function serve() {
  const file = path.join(root, 'dist/node/serve.js')
  process.argv = [process.execPath, file, ...args]
  process.chdir(process.env.INIT_CWD ?? process.cwd())
  process.setSourceMapsEnabled(true)
  await import(pathToFileURL(file).href)
}
