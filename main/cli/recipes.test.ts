import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { run, read } = useCli()

test.each(['modelscope.md', 'schedules.md', 'stills.md', 'prompts.md'])(
  'each command of docs/recipes/%s makes a picture or clip of its own',
  async (page) => {
    const lines = readFileSync(join(appRoot(), 'docs/recipes', page), 'utf8').split('\n')
    const commands = lines.filter((line) => line.startsWith('    frameloom '))
    expect(commands.length).toBeGreaterThan(3)
    const made = new Set<string>()
    for (const command of commands) {
      const words = command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''))
      const args = words.slice(1).map((word) => (word.startsWith('e2e/') ? join(appRoot(), word) : word))
      const ran = await run(...args, '--seed', '5')
      expect(ran.code, ran.stderr).toBe(0)
      // Pixels alone: the recipe inside each file is another anyway.
      const pixels = sharp(read(args[args.indexOf('--out') + 1]!), { animated: true })
        .raw()
        .toBuffer()
      made.add((await pixels).toString('base64'))
    }
    expect(made.size).toBe(commands.length)
  },
)
