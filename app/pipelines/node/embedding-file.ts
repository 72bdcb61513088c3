import { basename } from 'node:path'
import { readWeight } from '#app/checkpoints/read.ts'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { isSound, unsound } from '#app/tensor/finite.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { showShape, type Tensor } from '#app/tensor/tensor.ts'
import type { Embeddings } from '../prior.ts'

type Floats = Tensor<'float32'>

/** The tensors of an embedding's file, by the names of the reference's arguments. Each is (1, E). */
const names = { imageEmbeds: 'image_embeds', negativeImageEmbeds: 'negative_image_embeds' } as const

/** Writes an embedding (1, E) with the recipe it was made by, durably. */
export const writeEmbedding = (file: string, made: Embeddings, recipe: string): Promise<void> =>
  writeSafetensors(
    file,
    { [names.imageEmbeds]: made.imageEmbeds, [names.negativeImageEmbeds]: made.negativeImageEmbeds },
    { recipe },
  )

/**
 * Reads an embedding. `name`: what the file is called where people see it. Throws bad-media naming the file and what is
 * wrong with it.
 */
export async function readEmbedding(file: string, name = basename(file)): Promise<Embeddings> {
  const refuse = (why: string): never => {
    throw new ProblemError('bad-media', `${name} is no embedding: ${why}.`, { file: name })
  }
  const { weights } = await readSafetensors(file).catch((error: unknown) =>
    refuse(error instanceof ProblemError ? error.message.replaceAll(file, name).replace(/\.$/, '') : String(error)),
  )
  const stranger = [...weights.keys()].find((key) => !Object.values<string>(names).includes(key))
  if (stranger !== undefined) refuse(`it holds a tensor ${stranger}`)
  const read = async (key: string): Promise<Floats> => {
    const weight = weights.get(key) ?? refuse(`it has no ${key}`)
    const { shape } = weight
    if (shape.length !== 2 || shape[0] !== 1 || shape[1] === 0)
      refuse(`its ${key} has shape ${showShape(shape)} and not (1, numbers)`)
    const tensor = toFloat32(await readWeight(weight))
    return isSound(tensor) ? tensor : refuse(`its ${key} holds ${unsound}`)
  }
  const made = {
    imageEmbeds: await read(names.imageEmbeds),
    negativeImageEmbeds: await read(names.negativeImageEmbeds),
  }
  if (made.imageEmbeds.shape[1] !== made.negativeImageEmbeds.shape[1]) refuse('its two tensors differ in width')
  return made
}
