import { schedulerTable } from '#app/contract/schedulers.ts'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Select, type Choice } from '#renderer/ui/select.tsx'
import { Switch } from '#renderer/ui/switch.tsx'
import { AttentionRow } from './attention-row.tsx'

const schedulers: readonly Choice<string | null>[] = [
  { value: null, label: 'As the checkpoint says' },
  ...Object.entries(schedulerTable)
    .filter(([, { denoises }]) => denoises === 'frames')
    .map(([value, { label }]) => ({ value, label })),
]
const betaScheduleChoices: readonly Choice<Fields['betaSchedule']>[] = [
  { value: null, label: 'As the checkpoint says' },
  { value: 'linear', label: 'Linear (AnimateDiff)' },
  { value: 'scaled_linear', label: 'Scaled linear' },
  { value: 'squaredcos_cap_v2', label: 'Squared cosine' },
]
const clipSkips: readonly Choice<number | null>[] = [
  { value: null, label: 'Off' },
  ...Array.from({ length: 4 }, (_, i) => ({
    value: i + 1,
    label: `Last ${i === 0 ? 'layer' : `${i + 1} layers`} left out`,
  })),
]

export function AdvancedSection({ problems }: { problems: FieldProblems }) {
  const { scheduler, betaSchedule, eta, clipSkip, forwardChunking, chunkingOn, attnProcessor, fuseQkv } = useDraft(
    (draft) => draft,
  )
  const known = schedulers.some((choice) => choice.value === scheduler)
  const changed = [
    scheduler !== null,
    betaSchedule !== null,
    eta > 0,
    clipSkip !== null,
    chunkingOn,
    attnProcessor !== null,
    fuseQkv,
  ]
  const set = changed.filter(Boolean).length
  return (
    <FoldedSection title="Advanced" summary={set ? `${set} changed` : 'Defaults'}>
      <Row label="Scheduler" field="scheduler" problem={problems.scheduler}>
        <Select
          label="Scheduler"
          value={scheduler}
          // A recipe may name one that is not in this list; the engine has the last word.
          choices={known ? schedulers : [...schedulers, { value: scheduler, label: scheduler ?? '' }]}
          invalid={!!problems.scheduler}
          onChange={(value) => editDraft({ scheduler: value })}
        />
      </Row>
      <Row label="Noise" field="betaSchedule">
        <Select
          label="Noise schedule"
          value={betaSchedule}
          choices={betaScheduleChoices}
          onChange={(value) => editDraft({ betaSchedule: value })}
        />
      </Row>
      <SliderRow
        label="Eta"
        field="eta"
        value={eta}
        min={0}
        max={1}
        step={0.05}
        digits={2}
        problem={problems.eta}
        note={eta > 0 && 'Adds new noise at each step. At 0 DDIM is deterministic.'}
        onChange={(value) => editDraft({ eta: value })}
      />
      <Row label="CLIP skip" field="clipSkip" problem={problems.clipSkip}>
        <Select
          label="CLIP skip"
          value={clipSkip}
          choices={clipSkips}
          onChange={(value) => editDraft({ clipSkip: value })}
        />
      </Row>
      <Row
        label="Chunking"
        field="forwardChunking"
        problem={problems.forwardChunking}
        note={chunkingOn && 'Feed-forward layers run in pieces: less memory, the same clip.'}
      >
        <Switch label="Forward chunking" checked={chunkingOn} onChange={(on) => editDraft({ chunkingOn: on })} />
        {chunkingOn && (
          <>
            <NumberInput
              label="Chunk size"
              value={forwardChunking.chunkSize}
              min={1}
              max={4096}
              width={58}
              onChange={(chunkSize) => editDraft({ forwardChunking: { ...forwardChunking, chunkSize } })}
            />
            <Segmented
              label="Chunk along"
              value={String(forwardChunking.dim) as '0' | '1'}
              choices={[
                { value: '0', label: 'Batch' },
                { value: '1', label: 'Tokens' },
              ]}
              onChange={(dim) => editDraft({ forwardChunking: { ...forwardChunking, dim: dim === '0' ? 0 : 1 } })}
            />
          </>
        )}
      </Row>
      <AttentionRow problem={problems.attnProcessor} />
      <Row
        label="Fused QKV"
        field="fuseQkv"
        problem={problems.fuseQkv}
        note={fuseQkv && 'Query, key and value in one product: the same clip.'}
      >
        <Switch
          label="Fused query, key and value"
          checked={fuseQkv}
          onChange={(on) => editDraft({ fuseQkv: on, ...(on && { attnProcessor: null }) })}
        />
      </Row>
      <Row label="Cost" note="Time and memory by layer, and ways to need less of both.">
        <CommandButton command="tuning" size="small" iconSize={13} />
      </Row>
    </FoldedSection>
  )
}
