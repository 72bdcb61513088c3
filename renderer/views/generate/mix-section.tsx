import { FileDigit, ImagePlus, Type, X, type LucideIcon } from 'lucide-react'
import type { MixItem } from '#app/contract/mix.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { FieldProblem, Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'

const kinds: Readonly<Record<MixItem['kind'], { label: string; icon: LucideIcon; empty: MixItem }>> = {
  text: { label: 'Text', icon: Type, empty: { kind: 'text', text: '', weight: 0.5 } },
  picture: { label: 'Picture', icon: ImagePlus, empty: { kind: 'picture', media: null, weight: 0.5 } },
  embedding: { label: 'Embedding', icon: FileDigit, empty: { kind: 'embedding', media: null, weight: 0.5 } },
}

/** Texts, pictures and embeddings that are mixed with the prompt, each with its weight. */
export function MixSection({ problems }: { problems: FieldProblems }) {
  const mix = useDraft((draft) => draft.mix)
  const promptWeight = useDraft((draft) => draft.promptWeight)
  const hasPrompt = useDraft((draft) => draft.prompt.trim() !== '')
  const replace = (at: number, ...next: MixItem[]): void => editDraft({ mix: mix.toSpliced(at, 1, ...next) })
  return (
    <Section title="Mix">
      <div className="loras" data-field="mix">
        {mix.length > 0 && hasPrompt && (
          <WeightRow of="the prompt" value={promptWeight} onChange={(value) => editDraft({ promptWeight: value })} />
        )}
        {mix.map((item, at) => {
          const name = `${kinds[item.kind].label} ${at + 1}`
          return (
            <div className="lora" key={at} role="group" aria-label={name}>
              <Row label={kinds[item.kind].label}>
                {item.kind === 'text' && (
                  <input
                    className="input"
                    aria-label={name}
                    value={item.text}
                    placeholder="What else it is"
                    maxLength={20_000}
                    onChange={(event) => replace(at, { ...item, text: event.target.value })}
                  />
                )}
                <IconButton label={`Remove ${name}`} size="small" onClick={() => replace(at)}>
                  <X size={13} aria-hidden="true" />
                </IconButton>
              </Row>
              {item.kind !== 'text' && (
                <MediaPicker
                  label={name}
                  field={`mix.${at}`}
                  takes={item.kind === 'picture' ? 'still' : 'embedding'}
                  value={item.media}
                  onChange={(media) => replace(at, { ...item, media })}
                />
              )}
              <WeightRow of={name} value={item.weight} onChange={(weight) => replace(at, { ...item, weight })} />
            </div>
          )
        })}
        {problems.mix && <FieldProblem message={problems.mix} />}
        <Row label="Add" stacked>
          {Object.values(kinds).map(({ label, icon: Icon, empty }) => (
            <Button key={label} variant="ghost" size="small" onClick={() => editDraft({ mix: [...mix, empty] })}>
              <Icon size={13} aria-hidden="true" />
              {label}
            </Button>
          ))}
        </Row>
      </div>
    </Section>
  )
}

function WeightRow({ of, value, onChange }: { of: string; value: number; onChange: (value: number) => void }) {
  return (
    <SliderRow
      label="Weight"
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
