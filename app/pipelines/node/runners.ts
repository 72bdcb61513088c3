import type { EngineCalls, RunEvent, RunResult } from '#app/contract/engine.ts'
import type { PipelineName } from '#app/contract/pipelines.ts'
import { runImageToImage } from './image-to-image.ts'
import { runPriorToImage } from './prior-to-image.ts'
import { runImageToImageXl } from './image-to-image-xl.ts'
import type { RunContext, Runner, RunTools } from './run.ts'
import { runPixArt } from './pixart.ts'
import { runTextToEmbedding } from './text-to-embedding.ts'
import { runTextToImage } from './text-to-image.ts'
import { runTextToVideoSd, runVideoToVideoSd } from './text-to-video-sd.ts'
import { runTextToImageXl } from './text-to-image-xl.ts'
import { runTextToVideo } from './text-to-video.ts'
import { runUnclip } from './unclip.ts'
import { runTextToVideoXl } from './text-to-video-xl.ts'
import { runImageToVideo, runVideoToVideo } from './video-to-video.ts'
import { runVideoClassification } from './video-classification.ts'

/** How each pipeline is opened and run, by the names of the contract's table. */
const runners: { readonly [P in PipelineName]: Runner<P> } = {
  'text-to-video': runTextToVideo,
  'text-to-video-xl': runTextToVideoXl,
  'text-to-video-sd': runTextToVideoSd,
  'video-to-video-sd': runVideoToVideoSd,
  'video-to-video': runVideoToVideo,
  'image-to-video': runImageToVideo,
  'text-to-image': runTextToImage,
  pixart: runPixArt,
  'image-to-image': runImageToImage,
  'prior-to-image': runPriorToImage,
  unclip: runUnclip,
  'text-to-embedding': runTextToEmbedding,
  'text-to-image-xl': runTextToImageXl,
  'image-to-image-xl': runImageToImageXl,
  'video-classification': runVideoClassification,
}

/** Runs the pipeline that a request names. */
export const runPipeline = (
  tools: RunTools,
  request: EngineCalls['run']['request'],
  context: RunContext,
): AsyncGenerator<RunEvent, RunResult> => (runners[request.pipeline] as Runner<PipelineName>)(tools, request, context)
