import { freeUPresets, type FreeU } from '#app/contract/settings.ts'
import { changeFreeU } from '#renderer/actions/generate.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { runningGenerate, sameFreeU, useStudio } from '#renderer/store/studio.ts'
import { SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Switch } from '#renderer/ui/switch.tsx'

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
  const live = useStudio((state) => !!runningGenerate(state))
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
        <Replay />
        <LiveNote />
      </div>
    </Section>
  )
}

/** Moves that a recipe remembers: the next run makes them again, at the same steps. */
function Replay() {
  const changes = useDraft((draft) => draft.freeuChanges)
  if (changes.length === 0) return null
  const steps = changes.map((change) => change.step + 1).join(', ')
  return (
    <p className="freeu-note">
      The recipe changes FreeU at {changes.length === 1 ? 'step' : 'steps'} {steps}; the next run does the same.{' '}
      <button type="button" className="link" onClick={() => editDraft({ freeuChanges: [] })}>
        Forget the changes
      </button>
    </p>
  )
}

/** Where in the run a move of the sliders shows. */
function LiveNote() {
  const job = useStudio(runningGenerate)
  const replays = useDraft((draft) => draft.freeuChanges.length > 0)
  const marks = useStudio((state) => (job ? state.freeuMarks[job.id] : undefined))
  if (!job)
    return (
      <p className="freeu-note">
        1 leaves a stage as it is. Move the sliders while a clip is made: the next step uses them.
      </p>
    )
  // A recipe's own changes differ from what was asked for too, without anything to wait for.
  const waiting = !replays && job.freeuUsed !== undefined && !sameFreeU(job.freeu, job.freeuUsed)
  const since = marks?.at(-1)?.step
  return (
    <p className="freeu-note" role="status" data-live={waiting || since ? '' : undefined}>
      {waiting
        ? 'Takes effect at the next step.'
        : since !== undefined
          ? `In effect since step ${since}.`
          : 'Move a slider: the next step of this run uses it.'}
    </p>
  )
}
