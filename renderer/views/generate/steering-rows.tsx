import { Plus, X } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ModelKind } from '#app/contract/models.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { Select } from '#renderer/ui/select.tsx'

/** One place for each model, whatever was chosen so far. */
export const filled = <T,>(refs: readonly (T | null)[], count: number): (T | null)[] =>
  Array.from({ length: count }, (_, i) => refs[i] ?? null)

type SteeringProps = {
  what: string
  kind: ModelKind
  id: string
  scale: number
  onChange: (change: { id?: string; scale?: number }) => void
  onRemove: () => void
  children: ReactNode
}

/** A model that steers: which, how strongly, and what it reads. */
export function Steering({ what, kind, id, scale, onChange, onRemove, children }: SteeringProps) {
  const models = useStudio((state) => state.models)
  const known = modelsFor(models, kind)
  const name = known.find((model) => model.id === id)?.name ?? id
  return (
    <div className="steering" role="group" aria-label={`${what} ${name}`}>
      <Row label={what}>
        <Select
          label={what}
          value={id}
          choices={known.map(modelChoice)}
          // A recipe may name one that is not here.
          placeholder={`${name} is not here`}
          invalid={!known.some((model) => model.id === id)}
          onChange={(next) => onChange({ id: next })}
        />
        <IconButton label={`Remove ${name}`} size="small" onClick={onRemove}>
          <X size={13} aria-hidden="true" />
        </IconButton>
      </Row>
      <SliderRow
        label="Scale"
        name={`Scale of ${name}`}
        value={scale}
        min={0}
        max={2}
        mark={1}
        step={0.05}
        digits={2}
        onChange={(next) => onChange({ scale: next })}
      />
      {children}
    </div>
  )
}

type AddProps = { what: string; kind: ModelKind; taken: readonly string[]; onAdd: (id: string) => void }

export function Add({ what, kind, taken, onAdd }: AddProps) {
  const models = useStudio((state) => state.models)
  const free = modelsFor(models, kind).find((model) => isUsable(model) && !taken.includes(model.id))
  if (!free) return null
  return (
    <Row label={taken.length === 0 ? what : ''}>
      <Button variant="ghost" size="small" onClick={() => onAdd(free.id)}>
        <Plus size={13} aria-hidden="true" />
        Add {what}
      </Button>
    </Row>
  )
}
