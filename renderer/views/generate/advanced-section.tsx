import { pipelineOf } from '#app/contract/pipelines.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { SegmentedRow, SelectRow, SwitchRow } from '#renderer/ui/control-rows.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import type { Choice } from '#renderer/ui/select.tsx'
import { AttentionRow } from './attention-row.tsx'

const clipSkips: readonly Choice<number | null>[] = [
  { value: null, label: 'Off' },
  ...Array.from({ length: 4 }, (_, i) => ({
    value: i + 1,
    label: `Last ${i === 0 ? 'layer' : `${i + 1} layers`} left out`,
  })),
]

export function AdvancedSection({ problems }: { problems: FieldProblems }) {
  const { promptSyntax, clipSkip, forwardChunking, chunkingOn, attnProcessor, fuseQkv, vaeTiling } = useDraft(
    (draft) => draft,
  )
  const { shape } = useDraft((draft) => pipelineOf(draft.pipeline).settings)
  const changed = [
    'promptSyntax' in shape && promptSyntax === 'plain',
    'clipSkip' in shape && clipSkip !== null,
    'forwardChunking' in shape && chunkingOn,
    attnProcessor !== null,
    fuseQkv,
    'vaeTiling' in shape && vaeTiling !== null,
  ]
  const set = changed.filter(Boolean).length
  return (
    <FoldedSection title="Advanced" summary={set ? `${set} changed` : 'Defaults'}>
      {'promptSyntax' in shape && (
        <SegmentedRow
          label="Prompt"
          name="Prompt syntax"
          field="promptSyntax"
          problem={problems.promptSyntax}
          note={promptSyntax === 'plain' && 'The first 75 tokens are read, brackets as they stand.'}
          value={promptSyntax}
          choices={[
            { value: 'a1111', label: 'With weights' },
            { value: 'plain', label: 'Plain words' },
          ]}
          onChange={(value) => editDraft({ promptSyntax: value })}
        />
      )}
      {'clipSkip' in shape && (
        <SelectRow
          label="CLIP skip"
          field="clipSkip"
          problem={problems.clipSkip}
          value={clipSkip}
          choices={clipSkips}
          onChange={(value) => editDraft({ clipSkip: value })}
        />
      )}
      {'forwardChunking' in shape && (
        <SwitchRow
          label="Chunking"
          name="Forward chunking"
          field="forwardChunking"
          problem={problems.forwardChunking}
          note={chunkingOn && 'Feed-forward layers run in pieces: less memory, the same clip.'}
          checked={chunkingOn}
          onChange={(on) => editDraft({ chunkingOn: on })}
        >
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
        </SwitchRow>
      )}
      <AttentionRow problem={problems.attnProcessor} />
      <SwitchRow
        label="Fused QKV"
        name="Fused query, key and value"
        field="fuseQkv"
        problem={problems.fuseQkv}
        note={fuseQkv && 'Query, key and value in one product: the same clip.'}
        checked={fuseQkv}
        onChange={(on) => editDraft({ fuseQkv: on, ...(on && { attnProcessor: null }) })}
      />
      {'vaeTiling' in shape && (
        <SwitchRow
          label="Tiles"
          name="Decode in tiles"
          field="vaeTiling"
          problem={problems.vaeTiling}
          note={vaeTiling !== null && 'Decoded in tiles of so many pixels: less memory, a slightly other picture.'}
          checked={vaeTiling !== null}
          onChange={(on) => editDraft({ vaeTiling: on ? 256 : null })}
        >
          {vaeTiling !== null && (
            <NumberInput
              label="Side of a tile"
              value={vaeTiling}
              min={64}
              max={4096}
              step={32}
              width={58}
              onChange={(side) => editDraft({ vaeTiling: side })}
            />
          )}
        </SwitchRow>
      )}
      <Row label="Cost" note="Time and memory by layer, and ways to need less of both.">
        <CommandButton command="tuning" size="small" iconSize={13} />
      </Row>
    </FoldedSection>
  )
}
