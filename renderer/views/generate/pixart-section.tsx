import { familyOf, promptTokens } from '#app/contract/pipelines/pixart.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { Switch } from '#renderer/ui/switch.tsx'

/** What PixArt alone has: its sizes, and how it reads prompts. */
export function PixArtSection({ problems }: { problems: FieldProblems }) {
  const { useResolutionBinning, cleanCaption, maxSequenceLength, timesteps, model } = useDraft((draft) => draft)
  const entry = useStudio((state) => state.models.find(({ id }) => id === model))
  const usual = promptTokens[entry ? familyOf(entry) : 'sigma']
  const changed = [!useResolutionBinning, !cleanCaption, maxSequenceLength !== null, timesteps !== null]
  const set = changed.filter(Boolean).length
  return (
    <FoldedSection title="PixArt" summary={set ? `${set} changed` : 'Defaults'}>
      <Row
        label="Trained sizes"
        field="useResolutionBinning"
        problem={problems.useResolutionBinning}
        note={useResolutionBinning && 'Made at the nearest size that the model knows, then brought to yours.'}
      >
        <Switch
          label="Resolution binning"
          checked={useResolutionBinning}
          onChange={(on) => editDraft({ useResolutionBinning: on })}
        />
      </Row>
      <Row
        label="Clean text"
        field="cleanCaption"
        note={cleanCaption && 'Addresses, markup and advertising are left out, as in what it was trained with.'}
      >
        <Switch label="Clean captions" checked={cleanCaption} onChange={(on) => editDraft({ cleanCaption: on })} />
      </Row>
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
      <Row
        label="One step"
        field="timesteps"
        problem={problems.timesteps}
        note={timesteps && `One step at timestep ${timesteps.join(', ')}, by DDPM, without guidance: for DMD models.`}
      >
        <Switch
          label="One step of a distilled model"
          checked={timesteps !== null}
          onChange={(on) =>
            editDraft(
              on
                ? { timesteps: [400], scheduler: 'DDPMScheduler', guidanceScale: 1 }
                : { timesteps: null, scheduler: null },
            )
          }
        />
      </Row>
    </FoldedSection>
  )
}
