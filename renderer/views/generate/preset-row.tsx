import { isPreset, presetFor } from '#app/contract/presets.ts'
import { draftStore, refusePreset, takePreset, toRun, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SwitchRow } from '#renderer/ui/control-rows.tsx'

/** How the chosen weights were published to be run: taken when they are chosen, and refused here. */
export function PresetRow() {
  const models = useStudio((state) => state.models)
  const { settings } = toRun(useDraft((draft) => draft))
  const found = presetFor(settings, models)
  if (!found) return null
  const { preset, entry } = found
  return (
    <SwitchRow
      label="Preset"
      name={`Preset ${preset.title}`}
      note={`${preset.title}: how ${entry.name} is run as published at ${preset.source}.`}
      checked={isPreset(settings, models)}
      onChange={(on) => draftStore.setState((draft) => (on ? takePreset : refusePreset)(draft, models))}
    />
  )
}
