import type { MixItem } from '#app/contract/mix.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { AddButton, RemoveButton } from '#renderer/ui/button.tsx'
import { FieldProblem, Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'

const kinds: Readonly<Record<MixItem['kind'], { label: string; empty: MixItem }>> = {
  text: { label: 'Text', empty: { kind: 'text', text: '', weight: 0.5 } },
  picture: { label: 'Picture', empty: { kind: 'picture', media: null, weight: 0.5 } },
  embedding: { label: 'Embedding', empty: { kind: 'embedding', media: null, weight: 0.5 } },
}

/** Texts, pictures and embeddings that are mixed with the prompt, each with its weight. */
export function MixSection({ problems }: { problems: FieldProblems }) {
  const mix = useDraft((draft) => draft.mix)
  const promptWeight = useDraft((draft) => draft.promptWeight)
  const hasPrompt = useDraft((draft) => draft.prompt.trim() !== '')
  const replace = (at: number, ...next: MixItem[]): void => editDraft({ mix: mix.toSpliced(at, 1, ...next) })
  return (
    <Section title="Mix">
      <div className="rows" data-field="mix">
        {mix.length > 0 && hasPrompt && (
          <WeightRow
            label="Prompt"
            of="the prompt"
            value={promptWeight}
            onChange={(value) => editDraft({ promptWeight: value })}
          />
        )}
        {mix.map((item, at) => {
          const name = `${kinds[item.kind].label} ${at + 1}`
          const remove = <RemoveButton what={name} onClick={() => replace(at)} />
          return (
            <div className="rows" key={at} role="group" aria-label={name}>
              {item.kind === 'text' ? (
                <Row label="Text">
                  <input
                    className="input"
                    aria-label={name}
                    value={item.text}
                    placeholder="What else it is"
                    maxLength={20_000}
                    onChange={(event) => replace(at, { ...item, text: event.target.value })}
                  />
                  {remove}
                </Row>
              ) : (
                <MediaPicker
                  label={name}
                  field={`mix.${at}`}
                  takes={item.kind === 'picture' ? 'still' : 'embedding'}
                  value={item.media}
                  onChange={(media) => replace(at, { ...item, media })}
                  action={remove}
                />
              )}
              <WeightRow of={name} value={item.weight} onChange={(weight) => replace(at, { ...item, weight })} />
            </div>
          )
        })}
        {problems.mix && <FieldProblem message={problems.mix} />}
        <div className="row-control">
          {Object.values(kinds).map(({ label, empty }) => (
            <AddButton key={label} onClick={() => editDraft({ mix: [...mix, empty] })}>
              {label}
            </AddButton>
          ))}
        </div>
      </div>
    </Section>
  )
}

type WeightRowProps = { label?: string; of: string; value: number; onChange: (value: number) => void }

function WeightRow({ label = 'Weight', of, value, onChange }: WeightRowProps) {
  return (
    <SliderRow
      label={label}
      name={`Weight of ${of}`}
      value={value}
      min={-1}
      max={2}
      most={10}
      mark={1}
      step={0.05}
      digits={2}
      onChange={onChange}
    />
  )
}
