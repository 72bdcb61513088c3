import type { Fields } from '../contract/pipelines/fields.ts'

/** What a recipe of another program can say of ours. */
export type ForeignValues = Partial<
  Pick<
    Fields,
    | 'prompt'
    | 'negativePrompt'
    | 'width'
    | 'height'
    | 'numFrames'
    | 'fps'
    | 'numInferenceSteps'
    | 'guidanceScale'
    | 'seed'
    | 'scheduler'
    | 'schedulerConfig'
    | 'clipSkip'
  >
>
/** As a program writes it: values are checked later. `left`: what means nothing here, as "Model: dreamshaper". */
export type ForeignNotes = { values: { -readonly [K in keyof ForeignValues]?: unknown }; left: string[] }
/** A JSON object in a file of another program; undefined for all else. */
export function jsonObject(text: string | undefined): Record<string, unknown> | undefined {
  try {
    // Python writes NaN, which ComfyUI's graphs have where a node says so that it changed.
    const value: unknown = JSON.parse((text ?? 'null').replaceAll(/(?<=[:[,]\s*)NaN(?=\s*[,\]}])/g, 'null'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value in a note: short. */
export const plain = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 120)
