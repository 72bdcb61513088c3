import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { readWeight } from '#app/checkpoints/read.ts'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'

/** Prompts that are kept, the last used ones: 5 MB each at most for a T5-XXL. */
const mostKept = 200

/**
 * What a text encoder gave for prompts, as files of a folder, so that an encoder of many gigabytes is not read again
 * for a prompt that it has read. `parts` stand for all that the states depend on. A file that cannot be read is as one
 * that is not there, and a disk that is full costs the file, not the run.
 */
export function createPromptStates(folder: string | undefined) {
  return async (parts: unknown, encode: () => Promise<Tensor<'float32'>>): Promise<Tensor<'float32'>> => {
    if (folder === undefined) return encode()
    const file = join(folder, `${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}.safetensors`)
    const kept = await read(file).catch(() => undefined)
    if (kept) return kept
    const states = await encode()
    await keep(folder, file, states).catch(() => {})
    return states
  }
}

async function read(file: string): Promise<Tensor<'float32'> | undefined> {
  const { weights } = await readSafetensors(file)
  const states = weights.get('states')
  const now = new Date()
  await utimes(file, now, now).catch(() => {})
  return states && toFloat32(await readWeight(states))
}

async function keep(folder: string, file: string, states: Tensor<'float32'>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeSafetensors(file, { states })
  const files = (await readdir(folder))
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(folder, name))
  if (files.length <= mostKept) return
  const dated = await Promise.all(files.map(async (name) => ({ name, used: (await stat(name)).mtimeMs })))
  for (const { name } of dated.sort((a, b) => b.used - a.used).slice(mostKept)) await rm(name, { force: true })
}
