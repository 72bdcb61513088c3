import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { run, read } = useCli()

test.each(['modelscope.md', 'schedules.md'])(
  'each command of docs/recipes/%s makes a clip of its own',
  async (page) => {
    const lines = readFileSync(join(appRoot(), 'docs/recipes', page), 'utf8').split('\n')
    const commands = lines.filter((line) => line.startsWith('    frameloom '))
    expect(commands.length).toBeGreaterThan(3)
    const clips = new Set<string>()
    for (const command of commands) {
      const words = command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''))
      const args = words.slice(1).map((word) => (word.startsWith('e2e/') ? join(appRoot(), word) : word))
      const made = await run(...args, '--seed', '5')
      expect(made.code, made.stderr).toBe(0)
      clips.add(read(args[args.indexOf('--out') + 1]!).toString('base64'))
    }
    expect(clips.size).toBe(commands.length)
  },
)
