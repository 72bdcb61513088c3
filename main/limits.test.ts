import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { limitProblem } from './limits.ts'
import { appRoot } from './paths.ts'

type Ran = { code: number | string; said: string }

/** A program of dist/ in a shell that sets a limit. */
const run = (limit: string, program: string, ...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const file = join(appRoot(), 'dist/node', program)
    const command = `${limit} && exec "$0" "$@"`
    execFile('sh', ['-c', command, process.execPath, file, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    )
  })

// Windows has no such limits, and macOS knows none for addresses.
test.runIf(process.platform === 'linux')(
  'a limit that is too low is said in words, by the host and the command line',
  async () => {
    for (const [limit, words] of [
      ['ulimit -n 24', /limit for open files is 24 here, .* needs 128\. .* ulimit -n 1024$/],
      ['ulimit -n 64', /limit for open files is 64 here/],
      ['ulimit -f 0', /limit for the size of a file is 0 KiB here, .* needs 65536 KiB\. .* ulimit -f unlimited$/],
      ['ulimit -f 200', /limit for the size of a file is \d+ KiB here/],
      ['ulimit -v 2500000', /limit for addresses is 2500000 KiB here, .* needs 4194304 KiB\. .* ulimit -v unlimited$/],
    ] as const) {
      for (const [program, ...args] of [
        ['serve.js', '--no-open', '--port', '0'],
        ['cli.js', 'models'],
        ['cli.js', 'serve'],
      ]) {
        const { code, said } = await run(limit, program!, ...args)
        expect(said.trim(), limit).toMatch(words)
        expect(said.trim().split('\n'), limit).toHaveLength(1)
        expect(code, limit).toBe(1)
      }
    }
  },
)

test('what is enough is no problem, and neither is a system without limits', () => {
  expect(limitProblem()).toBeUndefined()
  expect(limitProblem({})).toBeUndefined()
  expect(limitProblem({ open_files: { soft: 128 }, file_size_blocks: { soft: 2 ** 30 } })).toBeUndefined()
  expect(limitProblem({ virtual_memory_bytes: { soft: 'unlimited' } })).toBeUndefined()
})
