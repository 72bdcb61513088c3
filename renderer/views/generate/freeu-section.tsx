import { freeUPresets, type FreeU } from '#app/contract/settings.ts'
import { changeFreeU } from '#renderer/actions/generate.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { runningLive, sameFreeU, useStudio } from '#renderer/store/studio.ts'
import { SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Switch } from '#renderer/ui/switch.tsx'
import { LiveNote } from './live-note.tsx'

const factors: readonly { key: keyof FreeU; name: string; max: number }[] = [
  { key: 'b1', name: 'b1, backbone of the first stage', max: 2 },
  { key: 'b2', name: 'b2, backbone of the second stage', max: 2 },
  { key: 's1', name: 's1, skips of the first stage', max: 2 },
  { key: 's2', name: 's2, skips of the second stage', max: 2 },
]
const presetChoices = freeUPresets.map((preset) => ({ value: preset.name, label: preset.name }))

export function FreeUSection() {
  const freeu = useDraft((draft) => draft.freeu)
  const freeuOn = useDraft((draft) => draft.freeuOn)
  const live = useStudio((state) => !!runningLive(state))
  const preset = freeUPresets.find((entry) => sameFreeU(entry.freeu, freeu))
  const factorRow = ({ key, name, max }: (typeof factors)[number]) => (
    <SliderRow
      key={key}
      label={key}
      name={name}
      value={freeu[key]}
      min={0}
      max={max}
      most={4}
      step={0.05}
      digits={2}
      mark={1}
      tone={live && freeuOn ? 'warp' : 'plain'}
      disabled={!freeuOn}
      onChange={(value) => changeFreeU({ freeu: { ...freeu, [key]: value } })}
    />
  )
  return (
    <Section
      title="FreeU"
      action={
        <>
          {live && (
            <span className="badge" data-tone="warp">
              live
            </span>
          )}
          <Switch label="FreeU" checked={freeuOn} onChange={(on) => changeFreeU({ freeuOn: on })} />
        </>
      }
    >
      <div className="freeu">
        <Segmented
          label="FreeU preset"
          value={preset?.name ?? null}
          choices={presetChoices}
          disabled={!freeuOn}
          onChange={(name) => {
            const next = freeUPresets.find((entry) => entry.name === name)
            if (next) changeFreeU({ freeu: next.freeu })
          }}
        />
        <h3>Backbone: structure</h3>
        {factors.slice(0, 2).map(factorRow)}
        <h3>Skips: detail</h3>
        {factors.slice(2).map(factorRow)}
        <LiveNote
          what="FreeU"
          changes="freeuChanges"
          isBehind={({ freeu, freeuUsed }) => freeuUsed !== undefined && !sameFreeU(freeu, freeuUsed)}
          idle="1 leaves a stage as it is. Move the sliders while it is made: the next step uses them."
        />
      </div>
    </Section>
  )
}
