import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

test('parity is the runner of reference cases; it is built when it is run, beside what is shipped', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'frameloom-parity-'))
  const ran = await new Promise<object>((resolve) =>
    execFile(process.execPath, [path.join(root, 'main/dev/run.mjs'), 'parity', folder], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  )
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
