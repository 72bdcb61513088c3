import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import type { LocatedModel, RunEvent } from '#app/contract/engine.ts'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { defaultSettings } from '#app/contract/pipelines.ts'
import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
import { labels, picture } from '#app/library/test-results.ts'
import { appRoot, bundledModelsDir } from '#main/paths.ts'
import { createSupervisor, type CallOptions, type Supervisor } from './supervisor.ts'

// The engine at its real work, on the bundled models.

let supervisor: Supervisor
let folder: string
let models: LocatedModel[]
const out = (): string => join(folder, 'clip.webp')
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-run-'))
})
afterEach(async () => {
  await supervisor.close()
  rmSync(folder, { recursive: true })
})

async function start(fault?: string): Promise<void> {
  supervisor = createSupervisor({
    enginePath: join(appRoot(), 'dist/node/engine.js'),
    nodePath: process.execPath,
    memoryBudgetBytes: 4 * 2 ** 30,
    threads: null,
    log: { info() {}, warn() {} },
    env: { FRAMELOOM_FAULT: fault },
  })
  const roots = [{ folder: bundledModelsDir(), source: 'bundled' as const }]
  models = (await supervisor.call('scanModels', { roots })).models
}

const settings: TextToVideoSettings = {
  ...defaultSettings('text-to-video'),
  model: 'moving-shapes',
  motionAdapter: 'moving-shapes-motion',
  prompt: 'a red circle moving left on a black background',
  width: 64,
  height: 64,
  numFrames: 2,
  numInferenceSteps: 3,
  guidanceScale: 4,
  seed: 1,
}
const model = (id: string): LocatedModel => models.find((one) => one.id === id)!
const generate = (
  change: Partial<TextToVideoSettings> = {},
  options: CallOptions<'run'> = {},
  loras: LocatedModel[] = [],
  motionAdapter = model('moving-shapes-motion'),
) =>
  supervisor
    .call(
      'run',
      {
        pipeline: 'text-to-video',
        settings: { ...settings, ...change },
        models: { model: [model('moving-shapes')], motionAdapter: [motionAdapter], loras },
        out: out(),
        appVersion: '0.0.0',
      },
      options,
    )
    .then(picture)
const nextStatus = (): Promise<void> =>
  new Promise((resolve) => {
    const off = supervisor.onStatus(() => {
      off()
      resolve()
    })
  })

test('a second run compiles and maps nothing, also with other FreeU values, and the clip is the same', async () => {
  await start()
  await generate()
  const clip = readFileSync(out())
  await nextStatus()
  const { compilations, bytesMapped, sessions, memory } = supervisor.status()
  expect(compilations).toBeGreaterThan(0)
  expect(sessions.length).toBeGreaterThan(0)
  expect(memory.usedBytes).toBeGreaterThan(0)

  await generate({ freeu: { s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 } })
  expect(readFileSync(out()).equals(clip)).toBe(false)
  await generate()
  expect(readFileSync(out()).equals(clip)).toBe(true)
  await nextStatus()
  expect(supervisor.status()).toMatchObject({ compilations, bytesMapped })
})

test('FreeU and a LoRA moved in mid-run hold from the next step on, and the recipe makes that clip again', async () => {
  const unet = join(bundledModelsDir(), 'moving-shapes/unet/diffusion_pytorch_model.safetensors')
  const file = join(folder, 'style.safetensors')
  await writeTestLora(unet, file)
  // Step 2 is followed by a pause in which the message arrives, so that it is in force from step 3 on.
  await start('sleep:step:2:1000')
  const roots = [{ folder: file, source: 'folder' as const }]
  const [style] = (await supervisor.call('scanModels', { roots })).models
  const { id } = style!
  const freeu = { s1: 0.2, s2: 0.2, b1: 1.6, b2: 1.6 }
  const seen: unknown[] = []
  const onEvent = (event: RunEvent): void => {
    if (event.type !== 'step') return
    seen.push([event.freeu, event.loraScales[id]])
    if (event.step === 2) supervisor.setControls('job', { freeu, loraScales: { [id]: 0 } })
  }
  const asked = { numInferenceSteps: 5, loras: [{ id, scale: 1 }] }
  const { recipe } = await generate(asked, { key: 'job', onEvent }, [style!])
  const clip = readFileSync(out())
  expect([seen[0], seen[1], seen.at(-1)]).toEqual([
    [null, 1],
    [null, 1],
    [freeu, 0],
  ])
  const step = seen.findIndex((one) => (one as unknown[])[1] === 0)
  expect(recipe.settings).toMatchObject({
    freeuChanges: [{ step, freeu }],
    loraChanges: [{ step, scales: { [id]: 0 } }],
  })

  await nextStatus()
  const { compilations, bytesMapped } = supervisor.status()
  const made = async (change: Partial<TextToVideoSettings>): Promise<Buffer> => {
    await generate({ ...recipe.settings, ...change }, {}, [style!])
    return readFileSync(out())
  }
  expect((await made({})).equals(clip)).toBe(true)
  expect((await made({ freeuChanges: [] })).equals(clip)).toBe(false)
  const unmoved = await made({ loraChanges: [] })
  expect(unmoved.equals(clip)).toBe(false)
  expect((await made({ loraChanges: [], loras: [{ id, scale: 0 }] })).equals(unmoved)).toBe(false)
  await nextStatus()
  expect(supervisor.status()).toMatchObject({ compilations, bytesMapped })
})

test('another motion adapter maps its own weights only: the base stays', async () => {
  await start()
  await generate()
  await nextStatus()
  const before = supervisor.status().bytesMapped
  const adapter = model('moving-shapes-motion')
  const copy = { ...adapter, id: 'copy', folder: join(folder, 'copy') }
  cpSync(adapter.folder, copy.folder, { recursive: true })
  await generate({ motionAdapter: 'copy' }, {}, [], copy)
  await nextStatus()
  const exchanged = supervisor.status().bytesMapped - before
  console.log(`${before} bytes mapped by the first run, ${exchanged} by the second, with another motion adapter`)
  expect(exchanged).toBeGreaterThan(0)
  expect(exchanged).toBeLessThanOrEqual(adapter.bytes)
  await generate()
  await nextStatus()
  expect(supervisor.status().bytesMapped).toBe(before + exchanged)
})

test('a cancel in the middle of a step is acknowledged before that step ends; nothing is left on the disk', async () => {
  await start()
  const abort = new AbortController()
  const order: string[] = []
  const run = generate(
    { width: 128, height: 128, numFrames: 8, numInferenceSteps: 50 },
    {
      signal: abort.signal,
      onCancelling: () => order.push('acknowledged'),
      onEvent: (event) => {
        if (abort.signal.aborted && event.type === 'step') order.push(`step ${event.step}`)
        if (event.type === 'preview') abort.abort() // step 2 has begun by then
      },
    },
  )
  await expect(run).rejects.toMatchObject({ problem: { code: 'cancelled' } })
  expect(order[0]).toBe('acknowledged')
  expect(order.length).toBeLessThanOrEqual(2)
  expect(readdirSync(folder)).toEqual([])
  expect(supervisor.status().recentCrashes).toBe(0)
  expect((await generate()).bytes).toBeGreaterThan(0)
})

test.each(['kill:preview:2', 'kill:frame:1', 'abort:step:1'])(
  '%s: the run is lost, no half file is there, the next one works',
  async (fault) => {
    await start(fault)
    await expect(generate()).rejects.toMatchObject({ problem: { code: 'engine-lost' } })
    expect(existsSync(out())).toBe(false)
    // The fault strikes again only where the run comes by there.
    const classified = await supervisor.call('run', {
      pipeline: 'video-classification',
      settings: { model: 'moving-shapes-timesformer', sampling: { kind: 'even' }, topK: 3, compute: defaultCompute },
      models: { model: [model('moving-shapes-timesformer')] },
      source: { file: join(bundledModelsDir(), 'clips/white-circle-moving-down.gif'), name: 'clip.gif' },
      appVersion: '0.0.0',
    })
    expect(labels(classified).classification.labels[0]?.label).toBe('circle moving down')
  },
)

test('a model whose files have gone is a problem, not a crash', async () => {
  await start()
  const gone = { ...model('moving-shapes'), folder: join(folder, 'gone') }
  const request = {
    pipeline: 'text-to-video' as const,
    settings,
    models: { model: [gone] },
    out: out(),
    appVersion: '0.0.0',
  }
  await expect(supervisor.call('run', request)).rejects.toMatchObject({
    problem: { code: 'not-found', message: expect.stringMatching(/gone/) as string },
  })
  expect(supervisor.status().recentCrashes).toBe(0)
})

test('tokens are counted while a clip is made', async () => {
  await start()
  const question = { texts: ['a (red:1.2) circle', ''], steps: 1, maxLength: null, cleanCaption: null, embeddings: [] }
  const count = (syntax: 'plain' | 'a1111') =>
    supervisor.call('countTokens', { ...question, syntax, model: model('moving-shapes') })
  const events: string[] = []
  const run = generate({ numInferenceSteps: 6 }, { onEvent: ({ type }) => events.push(type) })
  const [{ counts }, plain] = await Promise.all([count('a1111'), count('plain')])
  expect(events).not.toContain('frame')
  expect(counts.map(({ tokens }) => tokens)).toEqual([3, 0])
  expect(plain.counts[0]!.tokens).toBeGreaterThan(3)
  await run
  expect(events).toContain('frame')
  const gone = { ...model('moving-shapes'), folder }
  await expect(supervisor.call('countTokens', { ...question, syntax: 'plain', model: gone })).rejects.toThrow(
    'Moving Shapes (demo) has no tokenizer.',
  )
})
