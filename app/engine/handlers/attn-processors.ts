import { join } from 'node:path'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { openAdapter } from '#app/checkpoints/open-model.ts'
import { openPipelineSource } from '#app/pipelines/node/pipeline-source.ts'
import { openDenoiser } from '#app/loaded/denoiser.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import type { Handler } from '../call.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** The attention layers of a model's denoiser, from the headers of its files. */
export const attnProcessorsHandler =
  (sessions: SessionCache): Handler<'attnProcessors'> =>
  async ({ model, motionAdapter }) => {
    if (model.kind === 'pixart') {
      const { config, weights } = await openCheckpoint(join(model.folder, 'transformer'))
      return { processors: new LoadedModel(pixartTransformer2d, config, weights, sessions).attnProcessors }
    }
    const { unet } = await openPipelineSource(model.folder, model.tokenizerFolder)
    const adapter = motionAdapter ? await openAdapter(motionAdapter.folder) : undefined
    return { processors: openDenoiser(sessions, unet, adapter).attnProcessors }
  }
