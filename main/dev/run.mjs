import { existsSync } from 'node:fs'
import path from 'node:path'
import { fail, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'
import { pathToFileURL } from 'node:url'

// `npm run -s parity -- DIR`: runs dist/node/NAME.js, built first when stale, as if from the folder the user is in. Its standard
// output is the program's alone.
const [name = '', ...args] = process.argv.slice(2)
const log = (line) => process.stderr.write(`${line}\n`)

checkNode()
await ensureInstalled(log)
if (!(await ensureBuilt(log, ['node']))) fail('the build failed: see above.')

process.chdir(process.env.INIT_CWD ?? process.cwd())
const file = path.join(root, 'dist/node', `${name}.js`)
if (!existsSync(file)) fail(`there is no program "${name}": ${file} is missing.`)
process.argv = [process.execPath, file, ...args]
process.setSourceMapsEnabled(true)
await import(pathToFileURL(file).href)
