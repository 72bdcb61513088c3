import { option, type FieldOption } from './field-option.ts'
import * as parseClips from './parse-clips.ts'

/** The options of long clips, of clips in parts, and of rounds. */
export const clipOptions: readonly FieldOption[] = [
  {
    option: option(
      '--long-clip <how>',
      'longer than the motion modules see at once: uniform, overlapped or looped windows, or freenoise, with settings such as uniform,length=16,stride=12,weighting=flat',
    ).argParser(parseClips.longClip),
    fields: ['longClip'],
  },
  {
    option: option(
      '--split-inference <pixels,frames|off>',
      'layers see so many pixels, or so many frames, at a time, such as 256,16: slower, less memory',
    ).argParser(parseClips.splitInference),
    fields: ['splitInference'],
  },
  {
    option: option(
      '--free-init <rounds>',
      'rounds of FreeInit, with settings such as 3,fast,method=gaussian,spatial=0.25,temporal=0.25',
    ).argParser(parseClips.freeInit),
    fields: ['freeInit'],
  },
]
