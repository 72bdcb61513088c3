import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import type { LoraPart } from './keys.ts'

/**
 * What of PEFT's LoraConfig, LoHaConfig and LoKrConfig decides the strength of a layer. Source:
 * peft/tuners/{lora,loha,lokr}/config.py.
 */
const schema = z.looseObject({
  lora_alpha: z.number().optional(),
  alpha: z.number().optional(),
  alpha_pattern: z.record(z.string(), z.number()).optional(),
  use_rslora: z.boolean().optional(),
})
export type TrainedSettings = z.infer<typeof schema>

const prefixes: readonly (readonly [prefix: string, part: LoraPart])[] = [
  ['unet.', 'denoiser'],
  ['transformer.', 'denoiser'],
  ['prior.', 'denoiser'],
  ['text_encoder_2.', 'text_encoder_2'],
  ['text_encoder.', 'text_encoder'],
]

/** Settings by part: diffusers writes all parts' into one object, each key with its part's name before it. */
export function trainedSettings(value: unknown, file: string): Partial<Record<LoraPart, TrainedSettings>> {
  const entries = z.record(z.string(), z.unknown()).safeParse(value)
  const byPart: Partial<Record<LoraPart, Record<string, unknown>>> = {}
  for (const [key, setting] of Object.entries(entries.data ?? {})) {
    const [prefix, part] = prefixes.find(([start]) => key.startsWith(start)) ?? (['', 'denoiser'] as const)
    byPart[part] = { ...byPart[part], [key.slice(prefix.length)]: setting }
  }
  const settings: Partial<Record<LoraPart, TrainedSettings>> = {}
  for (const [part, written] of Object.entries(byPart) as [LoraPart, Record<string, unknown>][]) {
    const parsed = schema.safeParse(written)
    if (!parsed.success)
      throw new ProblemError('bad-model', `${file}: its settings are wrong: ${z.prettifyError(parsed.error)}.`, {
        file,
      })
    settings[part] = parsed.data
  }
  return settings
}

/** The alpha of a layer: that of the pattern which its path ends with, else the one for all. */
export function trainedAlpha(settings: TrainedSettings | undefined, path: string): number | undefined {
  const pattern = Object.entries(settings?.alpha_pattern ?? {}).find(([name]) => {
    const plain = name.replace(/^\^/, '')
    return path === plain || (plain === name && path.endsWith(`.${plain}`))
  })
  return pattern?.[1] ?? settings?.lora_alpha ?? settings?.alpha
}
