import { option, type FieldOption } from './field-option.ts'
import * as parse from './parse.ts'

/** What Stable Diffusion XL is told beside the prompt. */
export const sdxlOptions: readonly FieldOption[] = [
  {
    option: option('--prompt-2 <text>', 'what the second text encoder reads (default: the prompt)'),
    fields: ['prompt2'],
  },
  {
    option: option('--negative-prompt-2 <text>', 'the same of the negative prompt'),
    fields: ['negativePrompt2'],
  },
  {
    option: option('--original-size <WxH>', 'the size that it looks made smaller from (default: its own)').argParser(
      parse.toldSize,
    ),
    fields: ['originalSize'],
  },
  {
    option: option('--crop-top-left <L,T>', 'pixels that look cut off at the left and the top').argParser(parse.crop),
    fields: ['cropTopLeft'],
  },
  {
    option: option('--target-size <WxH>', 'the size that it looks made for (default: its own)').argParser(
      parse.toldSize,
    ),
    fields: ['targetSize'],
  },
  {
    option: option('--negative-original-size <WxH>', 'the same of what it is led away from').argParser(parse.toldSize),
    fields: ['negativeOriginalSize'],
  },
  {
    option: option('--negative-crop-top-left <L,T>', 'the same of what it is led away from').argParser(parse.crop),
    fields: ['negativeCropTopLeft'],
  },
  {
    option: option('--negative-target-size <WxH>', 'the same of what it is led away from').argParser(parse.toldSize),
    fields: ['negativeTargetSize'],
  },
  {
    option: option('--denoising-end <share>', 'end after this share of the steps, noise and all').argParser(
      parse.number(0.001, 0.999),
    ),
    fields: ['denoisingEnd'],
  },
]
