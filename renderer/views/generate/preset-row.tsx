import { isPreset, presetFor } from '#app/contract/presets.ts'
import { draftStore, refusePreset, takePreset, toRun, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Switch } from '#renderer/ui/switch.tsx'

/** How the chosen weights were published to be run: taken when they are chosen, and refused here. */
export function PresetRow() {
  const models = useStudio((state) => state.models)
  const { settings } = toRun(useDraft((draft) => draft))
  const found = presetFor(settings, models)
  if (!found) return null
  const { preset, entry } = found
  return (
    <Row label="Preset" note={`${preset.title}: how ${entry.name} is run as published at ${preset.source}.`}>
      <Switch
        label={`Preset ${preset.title}`}
        checked={isPreset(settings, models)}
        onChange={(on) => draftStore.setState((draft) => (on ? takePreset : refusePreset)(draft, models))}
      />
    </Row>
  )
}
