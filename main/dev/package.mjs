import { cpSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { downloadElectron, electronBinary, electronProblem } from './electron.mjs'
import { packagedBinaries, wrongFuses } from './fuses.mjs'
import { writeNotices } from './licences.mjs'
import { fetchedNode } from './node.mjs'
import { captureNode, fail, modulePath, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'

// `npm run package`: an installer for this kind of machine, in release/. It carries Electron for the window and a Node
// for the engine (docs/decisions/start.md, "The installer carries its own Node"). Further arguments go to
// electron-builder.
const log = (line) => console.log(line)

checkNode()
await ensureInstalled(log)
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))
const { version } = readJson(modulePath('electron/package.json'))
const { electron } = readJson(path.join(root, 'package.json')).devDependencies
const problem = electronProblem(version, electron, Date.now())
if (problem) fail(`${problem}.`)
if (!(await ensureBuilt(log))) fail('the build failed: see above.')
if (!electronBinary()) {
  const { reason } = await downloadElectron({ force: true, log })
  if (reason) fail(`Electron could not be downloaded (${reason}), and there is no window without it.`)
}
cpSync(await fetchedNode(log), path.join(root, 'dist/packaged-node', `${process.platform}-${process.arch}`), {
  recursive: true,
})
writeNotices()
log('Packaging ...')
const { code } = await captureNode(
  [modulePath('electron-builder/cli.js'), '--publish', 'never', ...process.argv.slice(2)],
  {
    live: (text) => process.stdout.write(text),
  },
)
if (code === 0) {
  const binaries = packagedBinaries()
  if (binaries.length === 0) fail('there is no packaged binary in release/, so its fuses could not be read back.')
  for (const binary of binaries) {
    const wrong = await wrongFuses(binary)
    if (wrong.length > 0) fail(`${binary} has other fuses than electron-builder.yml asks for: ${wrong.join(', ')}.`)
  }
}
process.exitCode = code
