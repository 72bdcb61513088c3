import { familyOf, promptTokens } from '#app/contract/pipelines/pixart.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SwitchRow } from '#renderer/ui/control-rows.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { DraftSwitch } from './draft-rows.tsx'

const oneStep = { timesteps: [400], scheduler: 'DDPMScheduler', guidanceScale: 1 }

/** What PixArt alone has: its sizes, and how it reads prompts. */
export function PixArtSection({ problems }: { problems: FieldProblems }) {
  const { useResolutionBinning, cleanCaption, maxSequenceLength, timesteps, model } = useDraft((draft) => draft)
  const entry = useStudio((state) => state.models.find(({ id }) => id === model))
  const usual = promptTokens[entry ? familyOf(entry) : 'sigma']
  const changed = [!useResolutionBinning, !cleanCaption, maxSequenceLength !== null, timesteps !== null]
  const set = changed.filter(Boolean).length
  return (
    <FoldedSection title="PixArt" summary={set ? `${set} changed` : 'Defaults'}>
      <DraftSwitch
        label="Trained sizes"
        name="Resolution binning"
        field="useResolutionBinning"
        note={useResolutionBinning && 'Made at the nearest size that the model knows, then brought to yours.'}
        problems={problems}
      />
      <DraftSwitch
        label="Clean text"
        name="Clean captions"
        field="cleanCaption"
        note={cleanCaption && 'Addresses, markup and advertising are left out, as in what it was trained with.'}
        problems={problems}
      />
      <Row label="Tokens" field="maxSequenceLength" problem={problems.maxSequenceLength}>
        <NumberInput
          label="Tokens of a prompt"
          value={maxSequenceLength ?? usual}
          min={2}
          max={512}
          invalid={!!problems.maxSequenceLength}
          onChange={(value) => editDraft({ maxSequenceLength: value === usual ? null : value })}
        />
      </Row>
      <SwitchRow
        label="One step"
        name="One step of a distilled model"
        field="timesteps"
        problem={problems.timesteps}
        note={timesteps && `One step at timestep ${timesteps.join(', ')}, by DDPM, without guidance: for DMD models.`}
        checked={timesteps !== null}
        onChange={(on) => editDraft(on ? oneStep : { timesteps: null, scheduler: null })}
      />
    </FoldedSection>
  )
}
