import { Lock, LockOpen } from 'lucide-react'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { CommandIconButton } from '#renderer/parts/commands.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { IconButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { DraftSlider } from './draft-rows.tsx'

export function SamplingSection({ problems }: { problems: FieldProblems }) {
  const { pipeline, guidanceScale, seed, seedLocked } = useDraft((draft) => draft)
  // What makes an embedding alone has the steps of its prior, and no others.
  const hasSteps = 'numInferenceSteps' in pipelineOf(pipeline).settings.shape
  return (
    <Section title="Sampling">
      {hasSteps && (
        <>
          <DraftSlider
            label="Steps"
            field="numInferenceSteps"
            min={1}
            max={60}
            most={1000}
            step={1}
            problems={problems}
          />
          <DraftSlider
            label="Guidance"
            field="guidanceScale"
            min={1}
            max={20}
            most={100}
            step={0.5}
            digits={1}
            note={guidanceScale <= 1 && 'At 1 and below guidance is off: the negative prompt has no effect.'}
            problems={problems}
          />
        </>
      )}
      <Row label="Seed" field="seed" problem={problems.seed}>
        <NumberInput
          label="Seed"
          value={seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          invalid={!!problems.seed}
          // Who types a seed wants to keep it.
          onChange={(value) => editDraft({ seed: value, seedLocked: true })}
        />
        <CommandIconButton command="roll" />
        <IconButton
          label={seedLocked ? 'Seed is locked: each run uses it' : 'Seed is free: each run draws a new one'}
          aria-label="Lock seed"
          aria-pressed={seedLocked}
          data-pressed={seedLocked || undefined}
          onClick={() => editDraft({ seedLocked: !seedLocked })}
        >
          {seedLocked ? <Lock size={14} aria-hidden="true" /> : <LockOpen size={14} aria-hidden="true" />}
        </IconButton>
      </Row>
    </Section>
  )
}
