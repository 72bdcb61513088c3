import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { attnProcessorMapSchema } from '#app/contract/attn-processors.ts'
import { loadReportSchema } from '#app/contract/load-report.ts'
import { modelEntrySchema } from '#app/contract/models.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { classificationSchema } from '#app/contract/results.ts'
import { doctorReportSchema } from '#app/contract/system.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { appVersion, bundledModelsDir } from '#main/paths.ts'
import { readOwnRecipe } from '#main/studio/read-recipe.ts'
import { prompt, runHere, shortClip, useCli, withoutEngine, type Ran } from './testing.ts'

// The command line on the bundled models, with files in a folder of its own: in processes where those matter (exit
// codes, signals, what another process left), else in this one with one engine.
const { start, run, generate, read, farthest, ...cli } = useCli()
let folder: string
beforeEach(() => {
  folder = cli.folder()
})
const clip = (name: string): string => join(bundledModelsDir(), 'clips', name)

describe('the program itself', () => {
  test('tells its version and its help, with exit codes and examples', async () => {
    expect(await start('--version').done).toEqual({ code: 0, stdout: `${appVersion()}\n`, stderr: '' })
    const help = await start('--help').done
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/generate[^]*classify[^]*serve[^]*130/)
    expect((await runHere(withoutEngine, ['generate', '--help'])).stdout).toMatch(
      /Examples:\n {2}frameloom generate --prompt/,
    )
  })

  const make = ['generate', '-p', 'x', '-o', 'a.webp']
  const usage = (args: string[], words: RegExp, { code, stdout, stderr }: Ran): void => {
    expect(stderr, args.join(' ')).toMatch(words)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  }

  test('a usage error is told in words, without a trace on stdout', async () => {
    usage([], /unknown command 'paint'/, await start('paint').done)
    usage([], /--exact.*float32/, await start(...make, '--exact', '--precision', 'int8').done)
  })

  test.each([
    [['generate', '--out', 'a.webp'], /required option.*--prompt/],
    [[...make, '--steps', '2.5'], /--steps.*whole number/],
    [[...make, '--size', '64'], /--size.*512x512/],
    [[...make, '--freeu', '1,2'], /--freeu.*SD 1\.5/],
    [[...make, '--attn', 'Nope'], /no such file.*SlicedAttnProcessor/],
    [[...make, '--attn', 'SlicedAttnProcessor'], /SlicedAttnProcessor:N/],
    [[...make, '--lora', 'a:99'], /--lora.*from -10 to 10/],
    [['generate', '-p', 'x', '-o', 'a.avi'], /\.mp4, \.webm, \.gif or \.webp/],
    [['generate', '-p', 'x', '-o', 'nowhere/a.webp'], /folder .*nowhere does not exist/],
    [[...make, '--precision', 'int4'], /--precision.*float32, int8, float16/],
    [[...make, '--provider', 'gpu'], /--provider.*cpu, webgpu/],
    [[...make, '--precision', 'float16'], /--precision.*choose float32 or int8/],
    [[...make, '--tuned', '--attn', 'AttnProcessor'], /cannot be used with/],
    [[...make, '--processors', 'map.json', '--attn', 'AttnProcessor'], /cannot be used with/],
    [['classify', 'a.mp4', '--provider', 'webgpu', '--precision', 'int8'], /choose float32 or float16/],
    [['classify'], /missing required argument 'file'/],
    [['classify', 'a.mp4', '--sampling', 'odd'], /--sampling.*even/],
  ])('%j is a usage error before an engine is started', async (args, words) => {
    usage(args, words, await runHere(withoutEngine, args))
  })

  test.each([
    [[...make, '--size', '70x64'], /multiple of 8.*64 or 72/],
    [[...make, '--frames', '400'], /at most 24/],
    [[...make, '--scheduler', 'Nothing'], /Nothing/],
  ])('%j is a usage error of the model', async (args, words) => {
    usage(args, words, await run(...args))
  })
})

describe('generate', () => {
  test('writes each format; the path alone is on stdout', async () => {
    const formats = [
      ['clip.webp', /^RIFF.{4}WEBP/s],
      ['clip.gif', /^GIF89a/],
      ['clip.mp4', /^.{4}ftyp/s],
      ['clip.webm', /^\x1aE\xdf\xa3/],
    ] as const
    for (const [name, magic] of formats) {
      // One of them from end to end.
      const { code, stdout, stderr } = await (name === 'clip.mp4'
        ? start('generate', ...shortClip(name)).done
        : generate(name))
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${name}\n` })
      expect(stderr).toMatch(/Step 2 of 2/)
      expect(read(name).toString('latin1')).toMatch(magic)
      expect(read(name).toString('latin1')).toContain(prompt)
    }
    const { code } = await generate('frames')
    expect(code).toBe(0)
    expect(readdirSync(join(folder, 'frames'))).toHaveLength(2)
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    expect((await generate('frames')).code).toBe(2) // not into a folder with other frames
  })

  test('what does not fit of a long prompt is told by its beginning', async () => {
    const args = shortClip('a.webp').map((arg) => (arg === prompt ? 'a red circle '.repeat(200) : arg))
    const made = await run('generate', ...args, '--json', '--prompt-syntax', 'plain')
    const { notes } = JSON.parse(made.stdout) as { notes: string[] }
    expect(notes).toEqual([expect.stringMatching(/^The prompt is longer than 77 tokens; .*circle.*…$/) as string])
    expect(notes[0]!.length).toBeLessThan(200)
  })

  test('the same seed gives the same clip, another one or FreeU another', async () => {
    const made = JSON.parse((await generate('a.webp', '--json')).stdout) as Record<string, unknown>
    expect(made).toMatchObject({ file: expect.stringMatching(/a\.webp$/) as string, notes: [] })
    expect(recipeSchema.parse(made['recipe']).settings).toMatchObject({ seed: 5, numFrames: 2, width: 64 })
    expect(made['bytes']).toBe(read('a.webp').length)
    await generate('b.webp')
    await generate('c.webp', '--seed', '6')
    await generate('d.webp', '--freeu', 'sd1.5')
    await generate('e.webp', '--chunking', '2,1')
    expect(read('b.webp').equals(read('a.webp'))).toBe(true)
    expect(read('c.webp').equals(read('a.webp'))).toBe(false)
    expect(read('d.webp').equals(read('a.webp'))).toBe(false)
    expect(existsSync(join(folder, 'e.webp'))).toBe(true)
  })

  test('attention processors, for all layers or by a map, give the same clip', async () => {
    expect((await generate('a.webp')).code).toBe(0)
    const listed = await run('processors', '--model', 'moving-shapes', '--out', 'map.json')
    expect(listed, listed.stderr).toMatchObject({ code: 0, stdout: 'map.json\n' })
    const map = attnProcessorMapSchema.parse(JSON.parse(read('map.json').toString()))
    const paths = Object.keys(map)
    expect(paths).toContain('mid_block.attentions.0.transformer_blocks.0.attn1.processor')
    expect(paths.some((path) => path.includes('.motion_modules.'))).toBe(true)
    const mixed = Object.fromEntries(
      paths.map((path, i) => [
        path,
        i % 2 ? { processor: 'AttnProcessor' } : { processor: 'SlicedAttnProcessor', slice_size: 3 },
      ]),
    )
    writeFileSync(join(folder, 'mixed.json'), JSON.stringify(mixed))
    const sliced = { processor: 'SlicedAttnProcessor', slice_size: 2 }
    for (const [name, attn, kept] of [
      ['b.webp', 'SlicedAttnProcessor:2', sliced],
      ['c.webp', 'mixed.json', mixed],
    ] as const) {
      const { code, stdout, stderr } = await generate(name, '--attn', attn, '--json')
      expect(code, stderr).toBe(0)
      const { recipe } = JSON.parse(stdout) as { recipe: unknown }
      expect(allFields(recipeSchema.parse(recipe).settings).attnProcessor).toEqual(kept)
      expect(await readOwnRecipe(join(folder, name))).toEqual(recipe)
      expect(await farthest(name, 'a.webp')).toBeLessThanOrEqual(2)
    }
    const { [paths[0]!]: _, ...short } = map
    writeFileSync(join(folder, 'short.json'), JSON.stringify(short))
    const left = await generate('d.webp', '--attn', 'short.json')
    expect(left).toMatchObject({ code: 2, stderr: expect.stringMatching(/\d+ attention layers/) as string })
  })

  test('a LoRA changes the clip by its scale, and is in the recipe with its hash', async () => {
    const path = 'mid_block.attentions.0.transformer_blocks.0.attn1.to_v'
    const file = join(folder, 'night.safetensors')
    const uneven = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i))
    await writeSafetensors(file, {
      [`unet.${path}.lora_A.weight`]: float32([2, 64], uneven),
      [`unet.${path}.lora_B.weight`]: float32([64, 2], uneven),
      'unet.elsewhere.to_q.lora_A.weight': float32([2, 64], new Float32Array(128)),
      'unet.elsewhere.to_q.lora_B.weight': float32([64, 2], new Float32Array(128)),
    })
    await generate('a.webp')
    const made = await generate('b.webp', '--lora', 'night.safetensors:0.5', '--json')
    expect(made.code, made.stderr).toBe(0)
    const { recipe, notes } = JSON.parse(made.stdout) as { recipe: unknown; notes: string[] }
    expect(notes).toEqual(['1 of the 2 layers of the LoRA night are not in this model.'])
    const { settings, models } = recipeSchema.parse(recipe)
    const [lora] = allFields(settings).loras
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
    expect(models.loras).toEqual([{ id: lora!.id, name: 'night', sha256: { 'night.safetensors': sha256 } }])
    expect(lora).toMatchObject({ scale: 0.5 })
    await generate('c.webp', '--models', '.', '--lora', 'night:0')
    expect(await farthest('b.webp', 'a.webp')).toBeGreaterThan(8)
    expect(await farthest('c.webp', 'a.webp')).toBeLessThanOrEqual(2)
    const unknown = await generate('d.webp', '--lora', 'nope')
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringMatching(/no LoRA "nope"/) as string })
  })

  test('int8 quantises once, gives nearly the same clip, and is in the recipe; exact gives the very same', async () => {
    await generate('a.webp')
    const first = await start('generate', ...shortClip('b.webp'), '--precision', 'int8', '--json').done
    expect(first.code, first.stderr).toBe(0)
    expect(first.stderr).toMatch(/Quantising weights, once: \d+ %/)
    const { recipe } = JSON.parse(first.stdout) as { recipe: unknown }
    expect(recipeSchema.parse(recipe).settings.compute).toEqual({ provider: 'cpu', precision: 'int8', exact: false })
    expect(await readOwnRecipe(join(folder, 'b.webp'))).toEqual(recipe)
    const far = await farthest('b.webp', 'a.webp')
    expect(far).toBeGreaterThan(0)
    expect(far).toBeLessThan(64)
    const second = await start('generate', ...shortClip('c.webp'), '--precision', 'int8').done
    expect(second.stderr).not.toMatch(/Quantising/)
    expect(await farthest('c.webp', 'b.webp')).toBe(0)
    await generate('d.webp', '--exact')
    expect(await farthest('d.webp', 'a.webp')).toBe(0)
  })

  test('a device that this machine does not have is refused with those it has', async () => {
    const provider = process.platform === 'win32' ? 'coreml' : 'dml'
    const refused = await generate('a.webp', '--provider', provider)
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/there is the processor/) as string,
    })
  })

  test('an unknown model lists the known ones; one for another task and a broken one are told apart', async () => {
    const unknown = await generate('a.webp', '--model', 'nope')
    expect(unknown).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/"nope".*moving-shapes/) as string,
    })
    const part = await generate('a.webp', '--model', join(bundledModelsDir(), 'moving-shapes/vae'))
    expect(part).toMatchObject({ code: 3, stderr: expect.stringMatching(/vae is no Stable Diffusion model/) as string })
    writeFileSync(join(folder, 'model.onnx'), '\x08\x07\x12\x07pytorch')
    const foreign = await generate('a.webp', '--lora', 'model.onnx')
    expect(foreign).toMatchObject({ code: 3, stderr: expect.stringMatching(/model\.onnx is an ONNX model/) as string })
    const other = await generate('a.webp', '--model', 'moving-shapes-timesformer')
    expect(other).toMatchObject({ code: 3, stderr: expect.stringMatching(/video classifier/) as string })
    cpSync(join(bundledModelsDir(), 'moving-shapes'), join(folder, 'broken'), { recursive: true })
    writeFileSync(join(folder, 'broken/unet/diffusion_pytorch_model.safetensors'), '<!doctype html>')
    const broken = await generate('a.webp', '--model', './broken')
    expect(broken).toMatchObject({ code: 3, stderr: expect.stringMatching(/HTML/) as string })
  })

  test('a model can be named by its folder', async () => {
    cpSync(join(bundledModelsDir(), 'moving-shapes'), join(folder, 'my models/mine'), { recursive: true })
    const { code, stderr } = await generate('a.webp', '--model', 'my models/mine')
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/Seed 5, mine/)
  })

  test('MP4 without ffmpeg is refused before the work begins', async () => {
    vi.stubEnv('PATH', join(folder, 'tmp'))
    const { code, stderr } = await start('generate', ...shortClip('a.mp4')).done
    vi.unstubAllEnvs()
    expect(code).toBe(1)
    expect(stderr).toMatch(/ffmpeg/)
    expect(stderr).not.toMatch(/Step/)
  })

  test.skipIf(process.platform === 'win32')('Ctrl+C cancels and leaves nothing behind', async () => {
    const { child, ran, done } = start('generate', '-p', prompt, '-o', 'a.mp4', '--size', '128x128', '--steps', '500')
    await vi.waitUntil(() => ran.stderr.includes('Step 1 of'), { timeout: 300_000 })
    child.kill('SIGINT')
    const { code, stdout, stderr } = await done
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(/Cancelled/)
    expect(readdirSync(folder).toSorted()).toEqual(
      ['data', 'hub', 'tmp'].filter((name) => existsSync(join(folder, name))),
    )
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  })
})

describe('classify', () => {
  test('prints a table', async () => {
    const { code, stdout } = await run('classify', clip('red-circle-moving-left.mp4'), '--top', '2')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /red-circle-moving-left\.mp4\n +\d+\.\d % {2}circle moving left\n.*\n {2}frames 0 .* of 48\n$/,
    )
  })

  test('in int8 gives the same label', async () => {
    const { code, stdout, stderr } = await run('classify', clip('red-circle-moving-left.mp4'), '--precision', 'int8')
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/ % {2}circle moving left\n/)
    expect(stderr).toMatch(/Quantising weights, once: 0 %/)
  })

  test('prints JSON; one bad file does not stop the others', async () => {
    writeFileSync(join(folder, 'not-a-clip.mp4'), 'hello')
    const files = [
      clip('white-circle-moving-down.gif'),
      'not-a-clip.mp4',
      'missing.webm',
      clip('green-square-moving-up.webm'),
    ]
    const { code, stdout, stderr } = await run('classify', ...files, '--json', '--sampling', 'windows:2')
    expect(code).toBe(4)
    expect(stderr).toMatch(/error: .*not-a-clip\.mp4/)
    expect(stderr).toMatch(/error: .*missing\.webm/)
    const found = classificationSchema.array().parse(JSON.parse(stdout))
    expect(found.map(({ labels }) => labels[0]?.label)).toEqual(['circle moving down', 'square moving up'])
    expect(found[0]?.labels).toHaveLength(5)
  })
})

test('models lists what is there and what is wrong with it', async () => {
  const listed = modelEntrySchema.array().parse(JSON.parse((await run('models', '--json')).stdout))
  expect(listed.map(({ id }) => id)).toEqual(['moving-shapes', 'moving-shapes-motion', 'moving-shapes-timesformer'])
  mkdirSync(join(folder, 'more/bad'), { recursive: true })
  writeFileSync(join(folder, 'more/bad/config.json'), '{"_class_name": "MotionAdapter"}')
  const { code, stdout, stderr } = await run('models', '--models', 'more')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^bad-\w{8} +motion-adapter +cannot be used/m)
  expect(stderr).toMatch(/block_out_channels/)
  expect((await run('models', '--models', 'nowhere')).code).toBe(3)
})

test('a folder of a variable that is not there is told of once, and ~ is the home folder', async () => {
  for (const name of ['HOME', 'USERPROFILE']) vi.stubEnv(name, folder)
  vi.stubEnv('FRAMELOOM_MODELS', ['~/mine', '/does/not/exist'].join(delimiter))
  cpSync(join(bundledModelsDir(), 'moving-shapes-timesformer'), join(folder, 'mine/ts'), { recursive: true })
  const { code, stdout, stderr } = await run('models')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ts-\w{8} +video-classifier/m)
  expect(stderr).toBe(
    'note: FRAMELOOM_MODELS names /does/not/exist, which is not there. Correct it, or make that folder.\n',
  )
})

test('inspect tells what a file or folder holds, and fails where weights and config do not agree', async () => {
  const model = join(bundledModelsDir(), 'moving-shapes')
  const { code, stdout } = await run('inspect', model, '--json')
  expect(code).toBe(0)
  const report = loadReportSchema.parse(JSON.parse(stdout))
  expect(report.parts.map(({ part, architecture }) => [part, architecture])).toEqual([
    ['text_encoder', 'CLIPTextModel'],
    ['unet', 'UNet2DConditionModel'],
    ['vae', 'AutoencoderKL'],
  ])
  const weights = readFileSync(join(model, 'unet/diffusion_pytorch_model.safetensors'))
  expect(report.files[1]?.sha256).toBe(createHash('sha256').update(weights).digest('hex'))

  cpSync(join(bundledModelsDir(), 'moving-shapes-motion'), join(folder, 'motion'), { recursive: true })
  const config = JSON.parse(read('motion/config.json').toString()) as Record<string, unknown>
  writeFileSync(join(folder, 'motion/config.json'), JSON.stringify({ ...config, use_motion_mid_block: false }))
  const broken = await run('inspect', 'motion')
  expect(broken.code).toBe(3)
  expect(broken.stdout).toMatch(/MotionAdapter: \d+ unused: mid_block\.motion_modules\.0\./)
  const nowhere = await run('inspect', 'nowhere')
  expect(nowhere.stderr).toMatch(/error: .*nowhere cannot be found/)
  expect(nowhere.code).toBe(3)
})

test('doctor checks this machine', async () => {
  vi.stubEnv('FRAMELOOM_MODELS', '/does/not/exist')
  const { code, stdout } = await run('doctor', '--json')
  const { checks } = doctorReportSchema.parse(JSON.parse(stdout))
  for (const name of ['Provider cpu', 'Provider cpu, int8'])
    expect(checks.find((check) => check.name === name)).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/self-check \d\.\de-\d/) as string,
    })
  const detail = expect.stringMatching(/^FRAMELOOM_MODELS names .does.not.exist, which is not there/) as string
  expect(checks).toContainEqual({ name: 'Folders', state: 'missing', detail })
  expect(code).toBe(0)
})
