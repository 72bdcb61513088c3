import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '#app/checkpoints/testing.ts'
import { resourcesDir } from '#main/paths.ts'
import { findTokenizer, openClipTokenizer } from './clip-tokenizer.ts'

test("CLIP's vocabulary is bundled for single-file checkpoints, and encodes as the published one", async () => {
  vi.stubEnv('FRAMELOOM_RESOURCES', resourcesDir())
  const file = join(await temporaryFolder(), 'model.safetensors')
  const folder = await findTokenizer(file, 49408)
  expect(folder).toBe(join(resourcesDir(), 'clip-tokenizer'))
  expect(await findTokenizer(file, 1000)).toBeUndefined()
  const tokenizer = await openClipTokenizer(folder!)
  // The ids of openai/clip-vit-large-patch14.
  expect(tokenizer.encode('a photo of a cat')).toEqual([320, 1125, 539, 320, 2368])
  expect(tokenizer.encode('Hello, world!')).toEqual([3306, 267, 1002, 256])
  vi.unstubAllEnvs()
})
