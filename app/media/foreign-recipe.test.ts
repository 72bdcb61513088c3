import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { fileTexts } from './file-texts.ts'
import { foreignRecipe } from './foreign-recipe.ts'

const utf8 = new TextEncoder()

/** A PNG with these texts before its end. CRCs are left at 0: nobody looks at them here. */
async function pngWith(texts: Record<string, string>): Promise<Uint8Array> {
  const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#369' } })
    .png()
    .toBuffer()
  const chunks = Object.entries(texts).map(([key, text]) => {
    const body = utf8.encode(`${key}\0${text}`)
    const chunk = Buffer.alloc(body.length + 12)
    chunk.writeUInt32BE(body.length)
    chunk.write('tEXt', 4)
    chunk.set(body, 8)
    return chunk
  })
  return Buffer.concat([png.subarray(0, -12), ...chunks, png.subarray(-12)])
}
const pngRecipe = async (texts: Record<string, string>) => foreignRecipe(fileTexts(await pngWith(texts)))

const infotext = [
  'a small (red:1.2) boat',
  'at sea, Größe',
  'Negative prompt: blurry, ugly',
  'Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 1234, Size: 512x768, Model hash: 6ce0161689,' +
    ' Model: v1-5-pruned, Clip skip: 2, Lora hashes: "boat: 1f, sea: 2e", Version: v1.7.0',
].join('\n')
const fromInfotext = {
  program: 'AUTOMATIC1111',
  values: {
    prompt: 'a small (red:1.2) boat\nat sea, Größe',
    negativePrompt: 'blurry, ugly',
    numInferenceSteps: 20,
    guidanceScale: 7.5,
    seed: 1234,
    width: 512,
    height: 768,
    clipSkip: 1,
    scheduler: 'DPMSolverMultistepScheduler',
    schedulerConfig: { use_karras_sigmas: true },
  },
  left: ['Model hash: 6ce0161689', 'Model: v1-5-pruned', 'Lora hashes: boat: 1f, sea: 2e'],
}

const gifWith = async (comment: string): Promise<Uint8Array> => {
  const gif = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#369' } })
    .gif()
    .toBuffer()
  const text = utf8.encode(comment)
  const pieces = Array.from({ length: Math.ceil(text.length / 255) }, (_, i) => text.subarray(i * 255, (i + 1) * 255))
  const blocks = pieces.flatMap((piece) => [Buffer.from([piece.length]), piece])
  return Buffer.concat([gif.subarray(0, -1), Buffer.from([0x21, 0xfe]), ...blocks, Buffer.from([0]), gif.subarray(-1)])
}

describe('AUTOMATIC1111', () => {
  test('infotext in the comment of a GIF, and of a video', async () => {
    expect(foreignRecipe(fileTexts(await gifWith(infotext)))).toEqual(fromInfotext)
    expect(foreignRecipe(new Map([['comment', infotext]]))).toEqual(fromInfotext)
    expect(foreignRecipe(fileTexts(await gifWith('made by hand')))).toBeUndefined()
  })

  test('infotext in a PNG', async () => expect(await pngRecipe({ parameters: infotext })).toEqual(fromInfotext))

  test('infotext in the user comment of a WebP and a JPEG, as piexif writes it', async () => {
    const comment = Buffer.from(`UNICODE\0${infotext}`, 'utf8')
    const text = Buffer.concat([comment.subarray(0, 8), Buffer.from(infotext, 'utf16le').swap16()])
    const exif = exifWith(0x9286, text)
    expect(foreignRecipe(fileTexts(webpWith(exif)))).toEqual(fromInfotext)
    const head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, (exif.length + 8) >> 8, (exif.length + 8) & 255])
    const jpeg = Buffer.concat([head, Buffer.from('Exif\0\0'), exif, Buffer.from([0xff, 0xda, 0, 2])])
    expect(foreignRecipe(fileTexts(jpeg))).toEqual(fromInfotext)
  })

  test.each([
    ['Euler', 'SGM Uniform', { timestep_spacing: 'trailing' }, []],
    ['Euler', 'Beta', { use_beta_sigmas: true }, []],
    ['Euler', 'Automatic', undefined, []],
    ['DDIM', 'Karras', undefined, ['Schedule type: Karras']],
    ['Euler', 'Align Your Steps', undefined, ['Schedule type: Align Your Steps']],
  ])('%s with the schedule %s', async (sampler, schedule, schedulerConfig, left) => {
    const recipe = await pngRecipe({
      parameters: `a\nSteps: 20, Sampler: ${sampler}, Schedule type: ${schedule}, CFG scale: 7`,
    })
    expect(recipe?.values.schedulerConfig).toEqual(schedulerConfig)
    expect(recipe?.left).toEqual(left)
  })

  test('values that cannot be here are named, not taken', async () => {
    const recipe = await pngRecipe({
      parameters: 'a\nSteps: 5000, Sampler: Restart, CFG scale: 7, Seed: -1, Size: 99999x64',
    })
    expect(recipe?.values).toEqual({ prompt: 'a', negativePrompt: '', guidanceScale: 7, height: 64 })
    expect(recipe?.left).toEqual(['numInferenceSteps: 5000', 'seed: -1', 'width: 99999', 'Sampler: Restart'])
  })
})

const graph = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      seed: 42,
      steps: 30,
      cfg: 6.5,
      sampler_name: 'euler_ancestral',
      scheduler: 'karras',
      denoise: 1,
      model: ['10', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'dreamshaper_8.safetensors' } },
  '5': { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 640, batch_size: 16 } },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: ['12', 0], clip: ['11', 0] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: 'watermark', clip: ['11', 0] } },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  '9': { class_type: 'SaveImage', inputs: { images: ['8', 0] }, is_changed: [Number.NaN] },
  '10': { class_type: 'ADE_AnimateDiffLoaderGen1', inputs: { model_name: 'mm_sd_v15.ckpt', model: ['4', 0] } },
  '11': { class_type: 'CLIPSetLastLayer', inputs: { stop_at_clip_layer: -2, clip: ['4', 1] } },
  '12': { class_type: 'StringConstant', inputs: { string: 'a blue star' } },
}
const fromGraph = {
  program: 'ComfyUI',
  values: {
    prompt: 'a blue star',
    negativePrompt: 'watermark',
    seed: 42,
    numInferenceSteps: 30,
    guidanceScale: 6.5,
    scheduler: 'EulerAncestralDiscreteScheduler',
    width: 512,
    height: 640,
    numFrames: 16,
    clipSkip: 1,
  },
  left: [
    'scheduler: karras',
    'CheckpointLoaderSimple: dreamshaper_8.safetensors',
    'ADE_AnimateDiffLoaderGen1: mm_sd_v15.ckpt',
  ],
}
/** As Python's json.dumps writes it. */
const asPython = (value: unknown): string => JSON.stringify(value).replaceAll('[null]', '[NaN]')

describe('ComfyUI', () => {
  test('the graph in a PNG, through the nodes between', async () => {
    const recipe = await pngRecipe({ prompt: asPython(graph), workflow: '{"nodes": []}' })
    expect({ ...recipe, left: new Set(recipe?.left) }).toEqual({ ...fromGraph, left: new Set(fromGraph.left) })
  })

  test('the graph in an animated WebP, which keeps it as the name of a camera', () => {
    const recipe = foreignRecipe(fileTexts(webpWith(exifWith(0x0110, Buffer.from(`prompt:${asPython(graph)}\0`)))))
    expect(recipe?.values).toEqual(fromGraph.values)
  })

  test.each([asPython(graph), graph])('the graph in the comment of a video, as text or as it is', (prompt) => {
    const comment = asPython({ prompt, workflow: { nodes: [] } })
    expect(foreignRecipe(new Map([['comment', comment]]))?.values).toEqual(fromGraph.values)
    expect(foreignRecipe(new Map([['comment', '{"prompt": 3}']]))).toBeUndefined()
  })

  test('the workflow of the page alone', async () => {
    const node = (id: number, type: string, widgets_values: unknown[], inputs: object[] = []) => ({
      id,
      type,
      widgets_values,
      inputs,
    })
    const workflow = {
      nodes: [
        node(
          1,
          'KSampler',
          [7, 'randomize', 12, 5, 'ddim', 'normal', 1],
          [
            { name: 'positive', link: 21 },
            { name: 'negative', link: 22 },
            { name: 'latent_image', link: 23 },
          ],
        ),
        node(2, 'CLIPTextEncode', ['a cat']),
        node(3, 'CLIPTextEncode', ['']),
        node(4, 'EmptyLatentImage', [256, 128, 1]),
      ],
      links: [
        [21, 2, 0, 1, 1, 'CONDITIONING'],
        [22, 3, 0, 1, 2, 'CONDITIONING'],
        [23, 4, 0, 1, 3, 'LATENT'],
      ],
    }
    expect(await pngRecipe({ workflow: JSON.stringify(workflow) })).toEqual({
      program: 'ComfyUI',
      values: {
        prompt: 'a cat',
        negativePrompt: '',
        seed: 7,
        numInferenceSteps: 12,
        guidanceScale: 5,
        scheduler: 'DDIMScheduler',
        width: 256,
        height: 128,
      },
      left: [],
    })
  })

  test('a graph that goes round in circles ends', async () => {
    const circle = {
      '1': { class_type: 'KSampler', inputs: { seed: ['1', 0], positive: ['1', 0], latent_image: ['1', 0] } },
    }
    expect(await pngRecipe({ prompt: JSON.stringify(circle) })).toEqual({ program: 'ComfyUI', values: {}, left: [] })
  })
})

test('InvokeAI: metadata in a PNG', async () => {
  const metadata = {
    app_version: '4.2.6',
    generation_mode: 'txt2img',
    positive_prompt: 'a lighthouse',
    negative_prompt: '',
    width: 512,
    height: 512,
    seed: 99,
    cfg_scale: 7.5,
    cfg_rescale_multiplier: 0.2,
    steps: 25,
    scheduler: 'euler_k',
    model: { key: 'a', name: 'stable-diffusion-v1-5', base: 'sd-1' },
    loras: [{ model: { key: 'b', name: 'pixel-art' }, weight: 0.75 }],
    clip_skip: 0,
    controlnets: [],
  }
  expect(await pngRecipe({ invokeai_metadata: JSON.stringify(metadata) })).toEqual({
    program: 'InvokeAI',
    values: {
      prompt: 'a lighthouse',
      negativePrompt: '',
      width: 512,
      height: 512,
      seed: 99,
      guidanceScale: 7.5,
      numInferenceSteps: 25,
      scheduler: 'EulerDiscreteScheduler',
      schedulerConfig: { use_karras_sigmas: true },
      clipSkip: null,
    },
    left: ['cfg_rescale_multiplier: 0.2', 'model: stable-diffusion-v1-5', 'loras: pixel-art'],
  })
})

test('what carries no recipe has none, whatever it is', async () => {
  for (const texts of [{}, { Software: 'Gimp' }, { parameters: 'just words' }, { prompt: 'a dog' }, { prompt: '[1' }])
    expect(await pngRecipe(texts as Record<string, string>)).toBeUndefined()
  const webp = webpWith(exifWith(0x0110, Buffer.from('prompt:{"1":3}\0')))
  for (let end = 0; end <= webp.length; end++) expect(foreignRecipe(fileTexts(webp.subarray(0, end)))).toBeUndefined()
})

/** A TIFF of one entry, in the folder that it belongs to. */
function exifWith(tag: number, value: Buffer): Buffer {
  const entry = (of: number, type: number, count: number, at: number): Buffer => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt16BE(of)
    bytes.writeUInt16BE(type, 2)
    bytes.writeUInt32BE(count, 4)
    bytes.writeUInt32BE(at, 8)
    return bytes
  }
  const [one, none] = [Buffer.from([0, 1]), Buffer.alloc(4)]
  const head = Buffer.from('MM\0*\0\0\0\b', 'latin1')
  if (tag !== 0x9286) return Buffer.concat([head, one, entry(tag, 2, value.length, 26), none, value])
  return Buffer.concat([head, one, entry(0x8769, 4, 1, 26), none, one, entry(tag, 7, value.length, 44), none, value])
}

function webpWith(exif: Buffer): Uint8Array {
  const chunk = (tag: string, body: Buffer): Buffer => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(body.length)
    return Buffer.concat([Buffer.from(tag), size, body, Buffer.alloc(body.length % 2)])
  }
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), chunk('VP8X', Buffer.alloc(10)), chunk('EXIF', exif)]))
}
