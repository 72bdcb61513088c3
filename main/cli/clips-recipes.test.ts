import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { run, read } = useCli()

test('the commands of docs/recipes/clips.md run one after the other, and each makes another clip', async () => {
  const page = readFileSync(join(appRoot(), 'docs/recipes/clips.md'), 'utf8')
  const commands = page.split('\n').flatMap((line) => (line.startsWith('    frameloom ') ? [line.trim()] : []))
  const made = new Set<string>()
  for (const command of commands) {
    const [, ...words] = command.match(/(?:"[^"]*"|[^\s"])+/g)!.map((word) => word.replaceAll('"', ''))
    const args = words.map((word) => (word.startsWith('e2e/') ? join(appRoot(), word) : word))
    const { code, stderr } = await run(...args, '--seed', '5')
    expect(code, stderr).toBe(0)
    made.add(read(args[args.indexOf('--out') + 1]!).toString('base64'))
  }
  expect(made.size).toBe(10)
})
