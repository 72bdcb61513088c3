import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { joinRows } from '#app/pipelines/guidance.ts'
import { openClipTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { folder, run, farthest } = useCli()
const goldens = (name: string): string => join(appRoot(), 'e2e/goldens/pipelines/checkpoints', name)
const tiny = goldens('sdxl-tiny')
const at = (...path: string[]): string => join(folder(), ...path)
const make = async (prompt: string, out: string, ...more: string[]): Promise<void> => {
  const made = await run(
    ...['generate', '--pipeline', 'text-to-image-xl', '--model', tiny, '--models', '.', '--prompt', prompt],
    ...['--out', out, '--steps', '2', '--seed', '5', '--size', '32x32', ...more],
  )
  expect(made.code, made.stderr).toBe(0)
}
const plainWords = ['--prompt-syntax', 'plain']

/** What a text encoder of the model has for a text: (tokens, width). */
async function vectorsOf(text: string, encoder: string, tokenizer: string): Promise<Tensor<'float32'>> {
  const { weights } = await openCheckpoint(join(tiny, encoder))
  const name = [...weights.keys()].find((key) => key.endsWith('token_embedding.weight'))!
  const table = toFloat32(await readWeight(weights.get(name)!))
  const ids = (await openClipTokenizer(join(tiny, tokenizer))).encode(text)
  return joinRows(ids.map((id) => rows(table, id, id + 1)))
}

test('XL reads weights, BREAK, long prompts and changes by both encoders, and plain words as they stand', async () => {
  await make('a red star', 'plain.webp', ...plainWords)
  await make('a red star', 'same.webp')
  expect(await farthest('plain.webp', 'same.webp')).toBe(0)
  await make('a (red star:1.0)', 'one.webp')
  expect(await farthest('plain.webp', 'one.webp')).toBe(0)
  for (const prompt of [
    'a (red star:1.5)',
    'a red BREAK star',
    `a red star, ${'blue square, '.repeat(40)}`,
    'a [red|blue] star',
    'a red [star:square:0.5]',
  ]) {
    await make(prompt, 'other.webp')
    expect(await farthest('plain.webp', 'other.webp'), prompt).toBeGreaterThan(0)
  }
  // Of the second encoder alone, in more chunks than the first has.
  await make('a red star', 'second.webp', '--prompt-2', `a red star, ${'(far:1.3) '.repeat(90)}`)
  expect(await farthest('plain.webp', 'second.webp')).toBeGreaterThan(0)
})

test('an embedding of both encoders is as the words that have the same vectors, in clips as in stills', async () => {
  const of = (text: string) =>
    Promise.all([vectorsOf(text, 'text_encoder', 'tokenizer'), vectorsOf(text, 'text_encoder_2', 'tokenizer_2')])
  const [clipL, clipG] = await of('red star')
  await writeSafetensors(at('sks.safetensors'), { clip_l: clipL, clip_g: clipG })
  await make('a red star on a hill', 'words.webp')
  await make('a sks on a hill', 'word.webp')
  await make('a embedding:sks on a hill', 'named.webp')
  await make('a sks on a hill', 'plain.webp', ...plainWords)
  for (const same of ['word.webp', 'named.webp']) expect(await farthest('words.webp', same)).toBe(0)
  expect(await farthest('words.webp', 'plain.webp')).toBeGreaterThan(0)

  const clip = ['--pipeline', 'text-to-video-xl', '--motion-adapter', goldens('motion-adapter-xl'), '--frames', '2']
  await make('a red (star:1.4)', 'words.webp', ...clip)
  const [star, starToo] = await of('star')
  await writeSafetensors(at('star-5.safetensors'), { clip_l: star, clip_g: starToo })
  await make('a red (star-5:1.4)', 'word.webp', ...clip)
  await make('a red star-5', 'unweighted.webp', ...clip)
  expect(await farthest('words.webp', 'word.webp')).toBe(0)
  expect(await farthest('words.webp', 'unweighted.webp')).toBeGreaterThan(0)

  // One encoder's vectors are another base's.
  await writeSafetensors(at('small.safetensors'), { emb_params: float32([1, 16], new Float32Array(16)) })
  const refused = await run(
    ...['generate', '--pipeline', 'text-to-image-xl', '--model', tiny, '--models', '.'],
    ...['--prompt', 'a small', '--out', 'e.webp'],
  )
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/small was made for one with/) as string })
})

test('a LoRA that the second prompt names is looked for, and plain words that name one are noted', async () => {
  const call = (...more: string[]) =>
    run(
      ...['generate', '--pipeline', 'text-to-image-xl', '--model', tiny, '--prompt', 'a', '--out', 'a.webp'],
      ...['--steps', '1', '--size', '32x32', '--prompt-2', 'a <lora:nope:1>', ...more],
    )
  expect(await call()).toMatchObject({ code: 2, stderr: expect.stringMatching(/names the LoRA “nope”/) as string })
  const read = { code: 0, stderr: expect.stringMatching(/loads nothing here/) as string }
  expect(await call(...plainWords)).toMatchObject(read)
})
