import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft, type Draft } from '#renderer/store/draft.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import type { ModelKind } from '#app/contract/models.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import { SelectRow, SwitchRow } from '#renderer/ui/control-rows.tsx'
import { SliderRow, type SliderRowProps } from '#renderer/ui/row.tsx'
import type { Choice } from '#renderer/ui/select.tsx'

type FieldOf<V> = { [K in keyof Draft]: Draft[K] extends V ? (V extends Draft[K] ? K : never) : never }[keyof Draft]
type OfDraft<P, V> = Omit<P, 'field' | 'value' | 'checked' | 'problem' | 'onChange' | 'choices'> & {
  field: FieldOf<V>
  problems: FieldProblems
}

/** A number of the draft. */
export function DraftSlider({ field, problems, ...row }: OfDraft<SliderRowProps, number>) {
  const value = useDraft((draft) => draft[field])
  return (
    <SliderRow
      field={field}
      value={value}
      problem={problems[field]}
      onChange={(next) => editDraft({ [field]: next })}
      {...row}
    />
  )
}

/** Something of the draft that is on or off. */
export function DraftSwitch({ field, problems, ...row }: OfDraft<Parameters<typeof SwitchRow>[0], boolean>) {
  const checked = useDraft((draft) => draft[field])
  return (
    <SwitchRow
      field={field}
      checked={checked}
      problem={problems[field]}
      onChange={(next) => editDraft({ [field]: next })}
      {...row}
    />
  )
}

type DraftModelProps = {
  field: FieldOf<string | null>
  label: string
  name?: string
  kind: ModelKind
  /** What it is without one. */
  none: string | Omit<Choice<null>, 'value'>
  problems: FieldProblems
}

/** A model of the draft that a run can do without. */
export function DraftModel({ field, kind, none, problems, ...row }: DraftModelProps) {
  const value = useDraft((draft) => draft[field])
  const models = useStudio((state) => state.models)
  const first = { value: null, ...(typeof none === 'string' ? { label: none } : none) }
  return (
    <SelectRow<string | null>
      field={field}
      value={value}
      choices={[first, ...modelsFor(models, kind).map(modelChoice)]}
      problem={problems[field]}
      onChange={(id) => editDraft({ [field]: id })}
      {...row}
    />
  )
}
