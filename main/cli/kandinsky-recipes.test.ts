import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { run, read } = useCli()

test('the commands of docs/recipes/kandinsky.md run one after the other, and each makes something else', async () => {
  const page = readFileSync(join(appRoot(), 'docs/recipes/kandinsky.md'), 'utf8')
  const commands = page.split('\n').flatMap((line) => (line.startsWith('    frameloom ') ? [line.trim()] : []))
  const made = new Set<string>()
  for (const command of commands) {
    const [, ...words] = command.match(/(?:"[^"]*"|[^\s"])+/g)!.map((word) => word.replaceAll('"', ''))
    const args = words.map((word) => (word.startsWith('e2e/') ? join(appRoot(), word) : word))
    const makes = args[0] === 'generate'
    const { code, stdout, stderr } = await run(...args, ...(makes ? ['--seed', '5'] : []))
    expect(code, stderr).toBe(0)
    made.add(makes ? read(args[args.indexOf('--out') + 1]!).toString('base64') : stdout)
  }
  expect(made.size).toBe(commands.length)
  expect(made.size).toBe(9)
})
