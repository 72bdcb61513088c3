import type { ReactNode } from 'react'
import type { ModelKind } from '#app/contract/models.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { AddButton, RemoveButton } from '#renderer/ui/button.tsx'
import { SelectRow } from '#renderer/ui/control-rows.tsx'
import { Row, SliderRow } from '#renderer/ui/row.tsx'

type ScaledModelProps = {
  /** What it is, in a word. */
  what: string
  kind: ModelKind
  id: string
  scale: number
  /** The ids that are chosen, its own among them. */
  taken: readonly string[]
  /** Of the menu. */
  name?: string
  min?: number
  most?: number
  tone?: 'plain' | 'warp'
  onChange: (change: { id?: string; scale?: number }) => void
  onRemove: () => void
  children?: ReactNode
}

/** A model beside the main one: which, and how much it counts; and what it reads. */
export function ScaledModel({
  what,
  kind,
  id,
  scale,
  taken,
  name = what,
  min = 0,
  most = 2,
  tone = 'plain',
  ...props
}: ScaledModelProps) {
  const models = useStudio((state) => state.models)
  const known = modelsFor(models, kind)
  const own = known.find((model) => model.id === id)
  const called = own?.name ?? id
  return (
    <div className="rows" role="group" aria-label={`${what} ${called}`}>
      <SelectRow
        label={what}
        name={name}
        value={id}
        choices={known.filter((model) => model === own || !taken.includes(model.id)).map(modelChoice)}
        // A recipe may name one that is not here.
        placeholder={`${called} is not here`}
        invalid={!own}
        onChange={(next) => props.onChange({ id: next })}
      >
        <RemoveButton what={called} onClick={props.onRemove} />
      </SelectRow>
      <SliderRow
        label="Scale"
        name={`Scale of ${called}`}
        value={scale}
        min={min}
        max={2}
        most={most}
        mark={1}
        step={0.05}
        digits={2}
        tone={tone}
        onChange={(next) => props.onChange({ scale: next })}
      />
      {props.children}
    </div>
  )
}

type AddModelProps = { what: string; kind: ModelKind; taken: readonly string[]; onAdd: (id: string) => void }

/** Offers one that can be used and is not chosen yet, where there is one. */
export function AddModel({ what, kind, taken, onAdd }: AddModelProps) {
  const models = useStudio((state) => state.models)
  const free = modelsFor(models, kind).find((model) => isUsable(model) && !taken.includes(model.id))
  if (!free) return null
  return (
    <Row label={taken.length === 0 ? what : ''}>
      <AddButton onClick={() => onAdd(free.id)}>Add {what}</AddButton>
    </Row>
  )
}

/** One place for each model, whatever was chosen so far. */
export const filled = <T,>(refs: readonly (T | null)[], count: number): (T | null)[] =>
  Array.from({ length: count }, (_, i) => refs[i] ?? null)
