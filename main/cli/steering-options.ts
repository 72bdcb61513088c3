import { option, type FieldOption } from './field-option.ts'
import { findModel } from './find-model.ts'
import * as parse from './parse-steering.ts'
import type { GivenOptions } from './pipeline-options.ts'

type ControlNet = ReturnType<typeof parse.controlNet>
type Steering = ReturnType<typeof parse.steering>

const collect = (text: string, all: string[] | undefined): string[] => [...(all ?? []), text]

/** Options of what steers a clip beside the prompt. */
export const steeringOptions: readonly FieldOption[] = [
  {
    option: option(
      '--controlnet <id[:scale][@start-end][,canny]>',
      'ControlNet, with its scale, its part of the run, and whether it goes by the edges of its frames; several times for several',
    ).argParser((text: string, all: ControlNet[] | undefined) => [...(all ?? []), parse.controlNet(text)]),
    fields: ['controlNets'],
    find: (nets: ControlNet[], models) => ({
      controlNets: nets.map(({ wanted, ...choice }) => ({ id: findModel(models, 'controlnet', wanted).id, ...choice })),
    }),
  },
  {
    option: option(
      '--control-frames <file>',
      'clip of depth, edges or poses that a ControlNet goes by, or one picture for all frames; one for each, in order',
    ).argParser(collect),
    fields: ['controlFrames'],
    media: (refs) => ({ controlFrames: [...refs] }),
  },
  {
    option: option('--guess-mode', 'ControlNets guess what their frames show: the prompt may be empty'),
    fields: ['guessMode'],
  },
  {
    option: option(
      '--sparse-control <id[:scale][@frames]>',
      'SparseCtrl, with its scale and the frames that its pictures are for, from 0 (default: the first)',
    ).argParser(parse.sparseControl),
    fields: ['sparseControl'],
    find: ({ wanted, ...choice }: ReturnType<typeof parse.sparseControl>, models) => ({
      sparseControl: { id: findModel(models, 'sparse-controlnet', wanted).id, ...choice },
    }),
  },
  {
    option: option('--sparse-picture <file>', 'picture for a frame of SparseCtrl; one for each, in order').argParser(
      collect,
    ),
    fields: ['sparsePictures'],
    media: (refs) => ({ sparsePictures: [...refs] }),
  },
  {
    option: option(
      '--ip-adapter <id[:scale]>',
      'IP-Adapter by id, name or file, with its scale; several times for several',
    ).argParser((text: string, all: Steering[] | undefined) => [...(all ?? []), parse.steering(text)]),
    fields: ['ipAdapters'],
    find: (adapters: Steering[], models) => ({
      ipAdapters: adapters.map(({ wanted, scale }) => ({ id: findModel(models, 'ip-adapter', wanted).id, scale })),
    }),
  },
  {
    option: option('--ip-picture <file>', 'picture that an IP-Adapter shows; one for each, in order').argParser(
      collect,
    ),
    fields: ['ipPictures'],
    media: (refs) => ({ ipPictures: [...refs] }),
  },
  {
    option: option('--image-encoder <id>', "IP-Adapters' image encoder (default: image_encoder beside each)"),
    fields: ['imageEncoder'],
    find: (wanted: string, models) => ({ imageEncoder: findModel(models, 'image-encoder', wanted).id }),
  },
]

/** The models that these options name: each may be a file or folder. */
export const namedInSteering = (options: GivenOptions): unknown[] =>
  ['controlnet', 'sparseControl', 'ipAdapter', 'imageEncoder'].flatMap((name) => options[name] ?? [])
