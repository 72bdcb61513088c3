import { parseAttnChoice, type AttnChoice, type AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { toProblem } from '#app/contract/errors.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { ProcessorMap } from '#app/contract/processor-maps.ts'
import { attentionLabel } from '#renderer/store/attention.ts'
import { editDraft, type Draft } from '#renderer/store/draft.ts'
import { callHost } from '#renderer/store/host.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
import { saveFile } from './library.ts'

/** Sets the form's processors. They and fused projections exclude each other. */
export const setAttention = (attnProcessor: AttnChoice | null): void =>
  editDraft({ attnProcessor, ...(attnProcessor && { fuseQkv: false }) })

/** Takes processors from a JSON file of the user's, as `frameloom processors` and the editor write it. */
export function chooseAttentionFile(use: (choice: AttnChoice) => void = setAttention): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = '.json,application/json'
  input.addEventListener('change', () => {
    const file = input.files?.[0]
    if (file) void readAttentionFile(file, use)
  })
  input.click()
}

async function readAttentionFile(file: File, use: (choice: AttnChoice) => void): Promise<void> {
  try {
    const choice = parseAttnChoice(await file.text())
    use(choice)
    tell('success', attentionLabel(choice), `From ${file.name}.`)
  } catch (error) {
    tellFailure(`${file.name} cannot be used`, error)
  }
}

export function exportAttention(choice: AttnChoice, name: string): void {
  const json = new Blob([`${JSON.stringify(choice, null, 2)}\n`], { type: 'application/json' })
  saveFile(json, `${name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '') || 'attention'}.json`)
}

const layers = new Map<string, AttnProcessorMap>()
let layersOf: readonly ModelEntry[] = []

/** The attention layers of a model with their defaults. The engine answers between two jobs. Throws a ProblemError. */
export async function readLayers({
  model,
  motionAdapter,
}: Pick<Draft, 'model' | 'motionAdapter'>): Promise<AttnProcessorMap> {
  const { models } = studioStore.getState()
  // Another search of the folders may have found other files under the same names.
  if (models !== layersOf) layers.clear()
  layersOf = models
  const key = JSON.stringify([model, motionAdapter])
  const known = layers.get(key) ?? (await callHost((host) => host.attnProcessors({ model, motionAdapter })))
  layers.set(key, known)
  return known
}

/** Keeps processors under a name. Returns what is wrong with the name. */
export async function saveMap(name: string, processors: AttnChoice, replace: boolean): Promise<string | undefined> {
  try {
    await callHost((host) => host.saveProcessorMap({ name, processors, replace }))
    return undefined
  } catch (error) {
    return toProblem(error).message
  }
}

export async function renameMap(name: string, to: string): Promise<void> {
  if (to.trim() === '' || to === name) return
  try {
    await callHost((host) => host.renameProcessorMap({ name, to }))
  } catch (error) {
    tellFailure('It could not be renamed', error)
  }
}

export async function deleteMap({ name, processors }: ProcessorMap): Promise<void> {
  try {
    await callHost((host) => host.deleteProcessorMap({ name }))
    tell('info', `“${name}” deleted`, undefined, { label: 'Undo', perform: () => void saveMap(name, processors, true) })
  } catch (error) {
    tellFailure('It could not be deleted', error)
  }
}
