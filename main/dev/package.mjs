import { cpSync } from 'node:fs'
import path from 'node:path'
import { downloadElectron, electronBinary } from './electron.mjs'
import { fetchedNode } from './node.mjs'
import { captureNode, fail, modulePath, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'

// `npm run package`: an installer for this kind of machine, in release/. It carries Electron for the window and a Node
// for the engine (docs/decisions/start.md, "The installer carries its own Node"). Further arguments go to
// electron-builder.
const log = (line) => console.log(line)

checkNode()
await ensureInstalled(log)
if (!(await ensureBuilt(log))) fail('the build failed: see above.')
if (!electronBinary()) {
  const { reason } = await downloadElectron({ force: true, log })
  if (reason) fail(`Electron could not be downloaded (${reason}), and there is no window without it.`)
}
cpSync(await fetchedNode(log), path.join(root, 'dist/packaged-node', `${process.platform}-${process.arch}`), {
  recursive: true,
})
log('Packaging ...')
const { code } = await captureNode(
  [modulePath('electron-builder/cli.js'), '--publish', 'never', ...process.argv.slice(2)],
  {
    live: (text) => process.stdout.write(text),
  },
)
process.exitCode = code
