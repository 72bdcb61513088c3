import path from 'node:path'
import { onPinnedNode } from './node.mjs'
import { fail, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'
import { pathToFileURL } from 'node:url'

// `npm run -s parity -- DIR`: runs a program of dist/, built first when stale, as if from the folder the user is in.
// Its standard output is the program's alone.
const parts = { cli: 'node', parity: 'tools', bench: 'tools' }
const [name = '', ...args] = process.argv.slice(2)
const log = (line) => process.stderr.write(`${line}\n`)

checkNode()
await ensureInstalled(log)
await onPinnedNode(log)
const part = parts[name]
if (!part) fail(`there is no program "${name}". There are: ${Object.keys(parts).join(', ')}.`)
if (!(await ensureBuilt(log, [part]))) fail('the build failed: see above.')

process.chdir(process.env.INIT_CWD ?? process.cwd())
const file = path.join(root, 'dist', part, `${name}.js`)
process.argv = [process.execPath, file, ...args]
process.setSourceMapsEnabled(true)
await import(pathToFileURL(file).href)
