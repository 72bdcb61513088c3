import { statSync } from 'node:fs'
import { openCheckpoint, type Checkpoint } from './folder.ts'
import { openControlNetFile } from './layouts/controlnet.ts'
import { openMotionModule } from './layouts/motion-module.ts'
import { openSingleFile, partOf, type PartName } from './layouts/single-file.ts'

/** Whether a model is one file instead of a folder. */
export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

/** The model of a folder; or, of a single-file checkpoint, one part. Errors as of the two openers. */
export const openModel = async (path: string, part: PartName = 'unet'): Promise<Checkpoint> =>
  isFile(path) ? partOf(await openSingleFile(path), part) : openCheckpoint(path)

/** A MotionAdapter folder, or a file of motion modules. Errors as of the two openers. */
export const openAdapter = (path: string): Promise<Checkpoint> =>
  isFile(path) ? openMotionModule(path) : openCheckpoint(path)

/** A ControlNetModel folder, or a ControlNet in one file. Errors as of the two openers. */
export const openControlNetModel = (path: string): Promise<Checkpoint> =>
  isFile(path) ? openControlNetFile(path) : openCheckpoint(path)
