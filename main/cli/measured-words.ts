import type { Command } from 'commander'
import { addCompute } from './compute.ts'
import * as parse from './parse.ts'

/** The model and the sizes that `profile` and `autotune` measure at. */
export const addMeasured = (command: Command): Command =>
  addCompute(command)
    .argument(
      '[model]',
      'Stable Diffusion model, by id, name or folder, or the folder of one model (default: the first found)',
    )
    .option('--motion-adapter <id>', 'motion adapter (default: the first that fits the model)')
    .option('--size <WxH>', "width and height in pixels (default: the model's own)", parse.size)
    .option('--frames <n>', 'number of frames', parse.integer(1, 512))
    .option(
      '--batch <n>',
      'clips at a time (default: 2 for a pipeline, as with guidance, else 1)',
      parse.integer(1, 64),
    )
    .option('--json', 'print JSON')

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(2)} s`
