import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { defaultOptions } from '#app/graph/index.ts'
import { classes, classNameOf, classOf } from './classes.ts'
import { auditKeys, compile } from './compile.ts'
import { smallest } from './input-shapes.ts'
import { parseConfig, type Model } from './model.ts'

const folder = join(import.meta.dirname, '../../e2e/goldens/checkpoints')
const open = (name: string): Promise<Checkpoint> => openCheckpoint(join(folder, name))
/** Those of single models, and those that stand beside the pipelines' own. */
const beside = '../pipelines/checkpoints'
const names = [...readdirSync(folder), ...readdirSync(join(folder, beside)).map((name) => join(beside, name))]
const checkpoints = await Promise.all(
  names.map(async (name) => ({ name, checkpoint: await open(name).catch(() => undefined) })),
)
/** Made to be refused. */
const broken = ['temporal-extra-key', 'temporal-missing-key', 'temporal-wrong-shape']
const known = checkpoints.flatMap(({ name, checkpoint }) => {
  if (broken.includes(name)) return []
  const model = checkpoint && classOf(classNameOf(checkpoint.config) ?? '')
  return model ? [{ name, className: model.className, model, checkpoint }] : []
})

it('the table names each class as its config.json does', () => {
  for (const [name, { className }] of Object.entries(classes)) expect(className).toBe(name)
  expect(new Set(known.map(({ className }) => className))).toEqual(new Set(Object.keys(classes)))
})

describe.each(known)('$className $name', ({ model, checkpoint: { config: json, weights } }) => {
  const config = parseConfig(model, json)

  it('reads every key and asks for no other', () => {
    expect(auditKeys(model, config, weights)).toEqual({ missing: [], wrong: [], unused: [] })
  })

  it.each(Object.keys(model.methods))('%s takes the inputs that it asks for, at any size', (name) => {
    const { inputsFor, argsFor } = bound(model, name)
    for (const sizes of [smallest, { batch: 2, numFrames: 4, height: 8, width: 16, tokens: 5 }]) {
      const run = { method: name, inputs: inputsFor(config, sizes), args: argsFor(sizes) }
      expect(compile(model, config, weights, run, defaultOptions).outputs.length).toBeGreaterThan(0)
    }
  })
})

function bound(model: Model, name: string): Pick<Required<Model['methods'][string]>, 'inputsFor' | 'argsFor'> {
  const method = model.methods[name]!
  return {
    inputsFor: (config, sizes) => method.inputsFor(config, sizes),
    argsFor: (sizes) => method.argsFor?.(sizes) ?? {},
  }
}

/** Compiles one method of a checkpoint that has a key more. */
async function withKey(name: string, key: string, method: string, args = {}): Promise<() => unknown> {
  const { config: json, weights } = await open(name)
  const model = classOf(classNameOf(json)!)!
  const config = parseConfig(model, json)
  const inputs = model.methods[method]!.inputsFor(config, smallest)
  const extra: Weight = { name: key, dtype: 'float32', shape: [1], source: { bytes: new Uint8Array(4) } }
  const all: Weights = new Map([...weights, [key, extra]])
  return () => compile(model, config, all, { method, inputs, args }, defaultOptions)
}

it.each([
  ['vae', 'encoder.stray.weight', 'decode', {}],
  ['vae', 'decoder.stray.weight', 'encode', {}],
  ['movq', 'quantize.stray.weight', 'decode', {}],
  ['prior-kandinsky', 'stray.weight', 'post_process_latents', {}],
  ['clip-text', 'text_model.encoder.layers.9.stray.weight', 'forward', { clip_skip: 1 }],
])('%s: a key %s that no method reads is refused by %s', async (name, key, method, args) => {
  expect(await withKey(name, key, method, args)).toThrow(key)
})

it.each([
  [{ _class_name: 'Transformer2DModel', norm_type: 'ada_norm_single' }, 'PixArtTransformer2DModel'],
  [{ _class_name: 'Transformer2DModel', norm_type: 'ada_norm_zero' }, 'DiTTransformer2DModel'],
  [{ _class_name: 'Transformer2DModel', norm_type: 'layer_norm' }, 'Transformer2DModel'],
  [{ model_type: 'timesformer' }, 'TimesformerForVideoClassification'],
  [{ model_type: 'timesformer', architectures: null }, 'TimesformerForVideoClassification'],
  [{ model_type: 'timesformer', architectures: [] }, 'TimesformerForVideoClassification'],
  [{ model_type: 'timesformer', architectures: ['TimesformerModel'] }, 'TimesformerModel'],
  [{ model_type: 'toString' }, 'toString'],
  [{ samples_save: true }, undefined],
])('%o names the class %s', (config, name) => {
  expect(classNameOf(config)).toBe(name)
})
