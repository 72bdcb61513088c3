import type { DiffusionSettings } from '#app/contract/pipelines/stable-diffusion.ts'
import { scalesOf, type FreeU, type LiveControls, type LoraScales } from '#app/contract/settings.ts'

type Live = { readonly freeu: FreeU | null; readonly loraScales: LoraScales }
type Changes = Pick<DiffusionSettings, 'freeuChanges' | 'loraChanges'>

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/**
 * What can be changed while a clip is made, at each step: the settings' own, with the changes that a recipe remembers,
 * and over both what the user moves now. Keeps the changes that took effect, so that the recipe makes the same clip
 * again.
 */
export function liveControls(
  settings: Pick<DiffusionSettings, 'freeu' | 'loras' | keyof Changes>,
  moved: () => LiveControls | undefined,
) {
  const own = scalesOf(settings.loras)
  const changes: Changes = { freeuChanges: [], loraChanges: [] }
  let current: Live = { freeu: settings.freeu, loraScales: own }
  return {
    at(step: number): Live {
      const now = moved()
      const before = <T extends { step: number }>(all: readonly T[]): T | undefined =>
        all.findLast((one) => one.step <= step)
      const rememberedFreeU = before(settings.freeuChanges)
      const freeu = now?.freeu !== undefined ? now.freeu : rememberedFreeU ? rememberedFreeU.freeu : settings.freeu
      const scales = now?.loraScales ?? before(settings.loraChanges)?.scales
      // A recipe's LoRA may have been taken away since.
      const loraScales = Object.fromEntries(Object.entries(own).map(([id, scale]) => [id, scales?.[id] ?? scale]))
      if (!same(freeu, current.freeu)) changes.freeuChanges.push({ step, freeu })
      if (!same(loraScales, current.loraScales)) changes.loraChanges.push({ step, scales: loraScales })
      current = { freeu, loraScales }
      return current
    },
    /** As the last step used them. */
    current: (): Live => current,
    changes: (): Changes => changes,
  }
}
