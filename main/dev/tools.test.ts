import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

const run = (file: string, ...args: string[]): Promise<object> =>
  new Promise((resolve) =>
    execFile(process.execPath, [file, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  )

test('a script goes on in Node 24, with its arguments, output and exit code, and ends by itself', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'frameloom-node-'))
  const script = path.join(folder, 'script.mjs')
  const node = pathToFileURL(path.join(root, 'main/dev/node.mjs')).href
  writeFileSync(
    script,
    `import { onPinnedNode } from '${node}'
    await onPinnedNode(() => {})
    console.log(process.version, process.argv[2])
    process.exitCode = 7`,
  )
  const ran = await run(script, 'an argument')
  rmSync(folder, { recursive: true })
  expect(ran).toEqual({ code: 7, stdout: expect.stringMatching(/^v24\.\d+\.\d+ an argument\n$/) as string, stderr: '' })
})

test('parity is the runner of reference cases; it is built when it is run, beside what is shipped', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'frameloom-parity-'))
  const ran = await run(path.join(root, 'main/dev/run.mjs'), 'parity', folder)
  rmSync(folder, { recursive: true })
  expect(ran).toMatchObject({
    code: 2,
    stdout: '0 passed, 0 failed, 0 skipped\n',
    stderr: expect.stringContaining(`No case was found in ${folder}.`) as string,
  })
  expect(readdirSync(path.join(root, 'dist/tools'))).toContain('parity.js')

  const shipped = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8').match(/^ {2}- dist\/.*/gm)
  expect(shipped).toEqual(['  - dist/node/**', '  - dist/renderer/**'])
  for (const name of ['parity', 'bench']) expect(existsSync(path.join(root, `dist/node/${name}.js`))).toBe(false)
})
