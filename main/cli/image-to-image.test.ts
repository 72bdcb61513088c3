import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { prompt, runHere, useCli, withoutEngine } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const anew = (out: string, ...more: string[]): string[] => [
  ...['generate', '--pipeline', 'image-to-image', '--prompt', prompt, '--out', out],
  ...['--steps', '4', '--seed', '5', ...more],
]

test('a picture is made anew: little of it at a low strength, all of it at 1', async () => {
  const start = join(folder(), 'start.png')
  const still = ['generate', '--pipeline', 'text-to-image', '--prompt', prompt, '--steps', '4', '--seed', '9']
  expect((await run(...still, '--out', 'start.png')).code).toBe(0)
  const distance = async (strength: string): Promise<number> => {
    const made = await run(...anew('again.png', '--image', start, '--strength', strength))
    expect(made.code, made.stderr).toBe(0)
    return farthest('again.png', 'start.png')
  }
  const [little, all] = [await distance('0.25'), await distance('1')]
  expect(little).toBeGreaterThan(0)
  expect(all).toBeGreaterThan(little)

  const recipe = JSON.parse((await readRecipeFile(join(folder(), 'again.png')))!) as unknown
  const sha256 = createHash('sha256').update(read('start.png')).digest('hex')
  expect(recipe).toMatchObject({
    pipeline: 'image-to-image',
    settings: { image: { sha256, name: 'start.png' }, strength: 1, resizeMode: 'crop' },
  })
})

test('a file that is no picture is refused as one', async () => {
  writeFileSync(join(folder(), 'notes.md'), '# No picture\n')
  const { code, stderr } = await run(...anew('a.png', '--image', 'notes.md'))
  expect(code).toBe(4)
  expect(stderr).toContain(
    'notes.md cannot be used as a clip or picture: it is damaged, or no picture or video at all.',
  )
})

test('without a picture, or with one that is not there, it is refused in words', async () => {
  expect(await run(...anew('a.png'))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Choose a picture: this cannot be made without one/) as string,
  })
  for (const [args, words] of [
    [anew('a.png', '--image', 'nowhere.png'), /--image nowhere.png: there is no such file/],
    [
      ['generate', '--pipeline', 'text-to-image', '-p', prompt, '-o', 'a.png', '--image', 'cat.png'],
      /--image: text-to-image has no such setting/,
    ],
  ] as const)
    expect(await runHere(withoutEngine, args)).toMatchObject({ stderr: expect.stringMatching(words) as string })
})
