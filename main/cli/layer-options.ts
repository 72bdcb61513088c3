import { readAttention } from './attention.ts'
import { option, type FieldOption } from './field-option.ts'
import { findModel } from './find-model.ts'
import * as parse from './parse.ts'
import { readProcessors } from './processors.ts'

/** Options of how the denoiser's layers are computed. */
export const layerOptions: readonly FieldOption[] = [
  {
    option: option('--chunking <size[,dim]>', 'feed-forward layers in chunks: slower, less memory').argParser(
      parse.chunking,
    ),
    fields: ['forwardChunking'],
  },
  {
    option: option(
      '--attn <name|file>',
      'attention processor: a name, NAME:SLICE, or a JSON file as "processors" prints it',
    ),
    fields: ['attnProcessor'],
    read: async (text: string) => ({ attnProcessor: await readAttention(text) }),
  },
  {
    option: option(
      '--processors <name|file>',
      'map of attention processors, of a file or kept by "processors save"',
    ).conflicts('attn'),
    fields: ['attnProcessor'],
    read: async (wanted: string) => ({ attnProcessor: await readProcessors(wanted) }),
  },
  {
    option: option(
      '--custom-diffusion <id|file>',
      'Custom Diffusion weights in the attention layers they were trained for',
    ).conflicts(['attn', 'processors']),
    fields: ['attnProcessor'],
    find: (wanted: string, models) => ({
      attnProcessor: {
        processor: 'CustomDiffusionAttnProcessor2_0',
        weights: findModel(models, 'custom-diffusion', wanted).id,
      },
    }),
  },
  {
    option: option('--fuse-qkv', 'one product for query, key and value in each attention layer'),
    fields: ['fuseQkv'],
  },
]
