import { InvalidArgumentError } from 'commander'
import type { Detector } from '#app/contract/conditioning.ts'
import { integer, number } from './parse.ts'

/** Strict parsers of what is said about models that steer a clip, as those of parse.ts. */

const fail = (message: string): never => {
  throw new InvalidArgumentError(message)
}

const strength = number(0, 2)
const share = number(0, 1)

/** An id, name or file, with how much it counts behind a colon. */
export function steering(text: string): { wanted: string; scale: number } {
  const [, wanted, factor] = /^(.+):([\d.]+)$/.exec(text) ?? []
  if (wanted !== undefined && factor !== undefined) return { wanted, scale: strength(factor) }
  return text === '' ? fail('It must be a model: an id or a file.') : { wanted: text, scale: 1 }
}

/**
 * The same with the parts of the run between which it counts behind an @, and what is found in its frames behind a
 * comma, as in net:0.8@0-0.5,canny.
 */
export function controlNet(text: string): {
  wanted: string
  scale: number
  start: number
  end: number
  detect: Detector
} {
  const [, model, start = '0', end = '1', detect = 'none'] =
    /^(.+?)(?:@([\d.]+)-([\d.]+))?(?:,(canny))?$/.exec(text) ?? []
  return { ...steering(model ?? ''), start: share(start), end: share(end), detect: detect as Detector }
}

const frame = integer(0, 511)

/** A SparseCtrl with the frames that its pictures are for behind an @, as in rgb:0.8@0,15; the first without them. */
export function sparseControl(text: string): { wanted: string; scale: number; frames: number[] } {
  const [, model, frames = '0'] = /^(.+?)(?:@([\d,]+))?$/.exec(text) ?? []
  return { ...steering(model ?? ''), frames: frames.split(',').map((part) => frame(part)) }
}
