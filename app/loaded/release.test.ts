import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { t5EncoderModel } from '#app/models/t5-encoder.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { float32, int64 } from '#app/tensor/tensor.ts'
import { LoadedModel } from './loaded-model.ts'

const folder = join(import.meta.dirname, '../../e2e/goldens/pipelines/checkpoints/pixart-sigma-32')

test('a model lets go of its own sessions alone, and opens them again', async () => {
  const sessions = new SessionCache()
  const open = async <M extends typeof t5EncoderModel | typeof autoencoderKl>(model: M, part: string) => {
    const { config, weights } = await openCheckpoint(join(folder, part))
    return new LoadedModel(model, config, weights, sessions)
  }
  const [text, vae] = [await open(t5EncoderModel, 'text_encoder'), await open(autoencoderKl, 'vae')]
  const labels = () => sessions.stats().sessions.map(({ label }) => label.split(' ')[0])
  const read = async () => (await text.run('forward', { input_ids: int64([1, 3], [5, 6, 1]) })).last_hidden_state.data
  const first = await read()
  await text.run('forward', { input_ids: int64([1, 2], [5, 1]) })
  await vae.run('decode', { z: float32([1, 4, 2, 2], new Float32Array(16)) })
  expect(labels()).toEqual(['T5EncoderModel', 'T5EncoderModel', 'AutoencoderKL'])
  await text.release()
  expect(labels()).toEqual(['AutoencoderKL'])
  expect(await read()).toEqual(first)
  expect(labels()).toEqual(['AutoencoderKL', 'T5EncoderModel'])
  await sessions.close()
})
