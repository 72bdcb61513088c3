import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { limitProblem } from '#main/limits.ts'

const help = `Serves the studio to a browser on this machine.

  --port N        the port; 8715 or any free one when left out
  --host ADDRESS  listen on another address than 127.0.0.1: other machines can then try to reach the studio
  --no-open       do not open the default browser
  --data-dir DIR  where the library is
`

try {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      'no-open': { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(/^\d+$/.test(values.port!) && port < 65536)) {
    throw new Error(`--port ${JSON.stringify(values.port)} is not a port: use a number from 0 to 65535.`)
  }
  if (values['data-dir']?.trim() === '') throw new Error('--data-dir is empty: name a folder, or leave it out.')
  const problem = values.help ? undefined : limitProblem()
  if (values.help) console.log(help)
  else if (problem) {
    console.error(problem)
    process.exitCode = 1
  } else {
    // Before anything asks where things are.
    if (values['data-dir'] !== undefined) process.env['FRAMELOOM_DATA'] = resolve(values['data-dir'])
    // After the check: reading it all is what few open files do not allow.
    const { runServe } = await import('./run-serve.ts')
    await runServe({
      open: !values['no-open'],
      ...(port === undefined ? {} : { port }),
      ...(values.host === undefined ? {} : { host: values.host }),
    })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
