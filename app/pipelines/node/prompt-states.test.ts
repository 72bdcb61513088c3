import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '#app/checkpoints/testing.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { createPromptStates } from './prompt-states.ts'

const states = float32([1, 2, 3], [1, 2, 3, 4, 5, 6])
const never = () => Promise.reject(new Error('was encoded again'))

it('keeps what an encoder gave, for the next process too, and for nothing else', async () => {
  const folder = join(await temporaryFolder(), 'prompts')
  expect(await createPromptStates(folder)({ ids: [1] }, () => Promise.resolve(states))).toEqual(states)
  expect(await createPromptStates(folder)({ ids: [1] }, never)).toEqual(states)
  await expect(createPromptStates(folder)({ ids: [2] }, never)).rejects.toThrow('again')
})

it('takes a damaged file as none, and works without a folder or with one that cannot be', async () => {
  const folder = join(await temporaryFolder(), 'prompts')
  await createPromptStates(folder)({ ids: [1] }, () => Promise.resolve(states))
  const [file] = readdirSync(folder)
  writeFileSync(join(folder, file!), 'broken')
  const other = float32([1, 1, 1], [7])
  expect(await createPromptStates(folder)({ ids: [1] }, () => Promise.resolve(other))).toEqual(other)
  expect(await createPromptStates(folder)({ ids: [1] }, never)).toEqual(other)
  expect(await createPromptStates(undefined)({ ids: [1] }, () => Promise.resolve(states))).toBe(states)
  const file2 = join(folder, file!)
  expect(await createPromptStates(join(file2, 'below'))({ ids: [1] }, () => Promise.resolve(states))).toBe(states)
})
