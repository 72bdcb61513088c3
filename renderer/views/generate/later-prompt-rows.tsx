import type { Fields } from '#app/contract/pipelines/fields.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { AddButton, RemoveButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { FieldProblem, Row } from '#renderer/ui/row.tsx'
import { PromptText } from './prompt-text.tsx'

/** Prompts from later frames on, for a clip that changes on the way. */
export function LaterPromptRows({ problem }: { problem: string | undefined }) {
  const later = useDraft((draft) => draft.laterPrompts)
  const numFrames = useDraft((draft) => draft.numFrames)
  const replace = (at: number, ...next: Fields['laterPrompts']): void =>
    editDraft({ laterPrompts: later.toSpliced(at, 1, ...next) })
  const last = later.at(-1)?.frame ?? 0
  const middle = Math.max(1, Math.round((last + numFrames) / 2))
  return (
    <div className="rows" data-field="laterPrompts">
      {later.map((one, at) => (
        <div className="rows" key={at} role="group" aria-label={`Prompt ${at + 2}`}>
          <Row label="From frame">
            <NumberInput
              label={`Frame of prompt ${at + 2}`}
              value={one.frame}
              min={1}
              max={511}
              width={58}
              onChange={(frame) => replace(at, { ...one, frame })}
            />
            <RemoveButton what={`prompt ${at + 2}`} onClick={() => replace(at)} />
          </Row>
          <PromptText
            label={`Prompt from frame ${one.frame}`}
            title={`Prompt ${at + 2}`}
            rows={2}
            placeholder="What the clip goes over to"
            value={one.prompt}
            onChange={(prompt) => replace(at, { ...one, prompt })}
          />
        </div>
      ))}
      {problem && <FieldProblem message={problem} />}
      <Row
        label={later.length === 0 ? 'Prompts' : ''}
        note={later.length > 0 && 'Between two prompts the clip goes over from one to the other.'}
      >
        <AddButton
          disabled={later.length >= 64}
          onClick={() => editDraft({ laterPrompts: [...later, { frame: middle, prompt: '' }] })}
        >
          Add a later prompt
        </AddButton>
      </Row>
    </div>
  )
}
