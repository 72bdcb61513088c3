import { z } from 'zod'

const id = z.string().min(1)
const share = z.number().min(0).max(1)
/** 1 is the strength that a model was trained with; 0 leaves it out. */
const strength = z.number().min(0).max(2)

/** What is found in the frames that are given before a ControlNet sees them. */
export const detectors = ['none', 'canny'] as const
export type Detector = (typeof detectors)[number]

/** A ControlNet, in force in the steps that lie wholly between two parts of the run. */
export const controlNetChoiceSchema = z.object({
  id,
  scale: strength,
  start: share,
  end: share,
  detect: z.enum(detectors),
})
export type ControlNetChoice = z.infer<typeof controlNetChoiceSchema>

/** A SparseCtrl, and the frame that each of its pictures is for, from 0. */
export const sparseControlSchema = z.object({ id, scale: strength, frames: z.array(z.int().min(0).max(511)).max(64) })
export type SparseControl = z.infer<typeof sparseControlSchema>

/** An IP-Adapter: how much its picture counts beside the prompt. */
export const ipAdapterChoiceSchema = z.object({ id, scale: strength })
export type IpAdapterChoice = z.infer<typeof ipAdapterChoiceSchema>
