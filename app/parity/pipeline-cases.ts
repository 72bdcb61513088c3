import { join } from 'node:path'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { compare, readJson, readTensors, type Verdict } from './case.ts'
import { limitOn } from './on-provider.ts'
import { runAnimateDiff, runAnimateDiffControlNet, runAnimateDiffSparseCtrl } from './pipelines/animatediff.ts'
import { runKandinskyDecoder, runKandinskyImg2Img, runKandinskyPrior } from './pipelines/kandinsky.ts'
import { runPixArt } from './pipelines/pixart.ts'
import { runImageToImage } from './pipelines/image-to-image.ts'
import { runAnimateDiffSdxl } from './pipelines/animatediff-sdxl.ts'
import { runAnimateDiffVideo, runAnimateDiffVideoControlNet } from './pipelines/animatediff-v2v.ts'
import { runStableDiffusion } from './pipelines/stable-diffusion.ts'
import { runTextToVideoSd, runVideoToVideoSd } from './pipelines/text-to-video-sd.ts'
import { runUnclip } from './pipelines/unclip.ts'
import { runStableDiffusionXl } from './pipelines/stable-diffusion-xl.ts'
import { pipelineSpec, type RunPipelineCase } from './pipelines/pipeline-case.ts'

/** Agreement of whole pipelines, on pictures in 0..1. */
const pipelineTolerance = 1e-3

/** The pipelines that can be compared, by their family in the reference cases. */
const runners: Readonly<Record<string, RunPipelineCase>> = {
  'pixart-alpha': runPixArt,
  'pixart-sigma': runPixArt,
  animatediff: runAnimateDiff,
  'animatediff-controlnet': runAnimateDiffControlNet,
  'animatediff-sparsectrl': runAnimateDiffSparseCtrl,
  'animatediff-v2v-controlnet': runAnimateDiffVideoControlNet,
  'animatediff-v2v': runAnimateDiffVideo,
  'animatediff-sdxl': runAnimateDiffSdxl,
  'stable-diffusion': runStableDiffusion,
  'kandinsky-prior': runKandinskyPrior,
  'kandinsky21-prior': runKandinskyPrior,
  'kandinsky-decoder': runKandinskyDecoder,
  'kandinsky-img2img': runKandinskyImg2Img,
  unclip: runUnclip,
  'text-to-video': runTextToVideoSd,
  'video-to-video': runVideoToVideoSd,
  'stable-diffusion-img2img': runImageToImage,
  'stable-diffusion-xl': runStableDiffusionXl,
}

/** Those whose pictures are as the decoder gives them, and not in 0..1: they are compared as latents are. */
const givesRawImages: ReadonlySet<string> = new Set(['kandinsky-decoder'])

/** pipelines/NAME: latents after each step, and what the pipeline ends with. */
export async function runPipelineCase(folder: string, sessions: SessionCache): Promise<Verdict> {
  const spec = pipelineSpec.parse(await readJson(join(folder, 'case.json')))
  const run = Object.hasOwn(runners, spec.pipeline) ? runners[spec.pipeline] : undefined
  if (!run) return { state: 'FAIL', figure: `the pipeline ${spec.pipeline} is not known` }
  const inputs = await readTensors(join(folder, 'inputs.safetensors'))
  const actual = await run({ folder, spec, inputs, sessions })
  const expected = await readTensors(join(folder, 'outputs.safetensors'))
  const scales = givesRawImages.has(spec.pipeline) ? {} : { frames: 1, images: 1 }
  return compare(actual, expected, limitOn(sessions.compute, pipelineTolerance), scales)
}
