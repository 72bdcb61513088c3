import { join } from 'node:path'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { modelKinds } from '#app/contract/models.ts'
import { classNameOf } from '#app/models/classes.ts'
import { parseConfig } from '#app/models/model.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import { anyConfigSchema, readConfig, vaeConfigSchema } from './configs.ts'
import type { Described } from './describe.ts'
import { requireFiles, requireScheduler, weightsOf } from './folder-parts.ts'

/** A PixArt folder, given what is known of every folder with a model_index.json. */
export async function describePixArt(folder: string, known: Described): Promise<Described> {
  const found: Described = { ...known, kind: 'pixart' }
  try {
    const config = await readConfig(anyConfigSchema, folder, 'transformer', 'config.json')
    if (classNameOf(config) !== pixartTransformer2d.className)
      throw new ProblemError(
        'bad-model',
        `${join(folder, 'transformer')} holds ${classNameOf(config)}, not ${pixartTransformer2d.className}.`,
        { file: join(folder, 'transformer', 'config.json') },
      )
    const { sample_size: sampleSize, patch_size: patchSize } = parseConfig(pixartTransformer2d, config)
    const vae = await readConfig(vaeConfigSchema, folder, 'vae', 'config.json')
    const factor = 2 ** (vae.block_out_channels.length - 1)
    found.nativeSize = sampleSize * factor
    found.sizeMultiple = factor * patchSize
    const { parts, files } = modelKinds.pixart.folder
    Object.assign(found, await weightsOf(folder, parts))
    requireFiles(folder, files)
    found.scheduler = await requireScheduler(join(folder, 'scheduler', 'scheduler_config.json'))
    const isFast = found.scheduler === 'LCMScheduler'
    // The defaults of the reference's pipelines; 4 steps without guidance as PixArt-LCM's page says.
    found.suggested = isFast
      ? { numInferenceSteps: 4, guidanceScale: 1 }
      : { numInferenceSteps: 20, guidanceScale: 4.5 }
    return found
  } catch (error) {
    return { ...found, problem: toProblem(error) }
  }
}
