import { openAdapter } from '#app/checkpoints/open-model.ts'
import { openPipelineSource } from '#app/pipelines/node/pipeline-source.ts'
import { openDenoiser } from '#app/loaded/denoiser.ts'
import type { Handler } from '../call.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** The attention layers of a Stable Diffusion model's UNet, from the headers of its files. */
export const attnProcessorsHandler =
  (sessions: SessionCache): Handler<'attnProcessors'> =>
  async ({ model, motionAdapter }) => {
    const { unet } = await openPipelineSource(model.folder, model.tokenizerFolder)
    const adapter = motionAdapter ? await openAdapter(motionAdapter.folder) : undefined
    return { processors: openDenoiser(sessions, unet, adapter).attnProcessors }
  }
