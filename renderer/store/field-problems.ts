import { useMemo } from 'react'
import { createStore, useStore } from 'zustand'
import { checkDraft, type FieldProblems } from './checks.ts'
import { computeProblem } from './compute.ts'
import { draftStore, useDraft, type Draft } from './draft.ts'
import { useStudio } from './studio.ts'

type Field = keyof Draft

export type FieldProblemState = {
  /** What the host refused, at the field it was about; it goes away when that field changes. */
  refusal: { field: Field; message: string; value: unknown } | null
  /** The field that kept the last run from starting. A new object each time: the form takes the focus there again. */
  pointed: { field: Field; message: string } | null
}

export const fieldProblemStore = createStore<FieldProblemState>(() => ({ refusal: null, pointed: null }))

draftStore.subscribe((draft) => {
  const { refusal } = fieldProblemStore.getState()
  if (refusal && draft[refusal.field] !== refusal.value) fieldProblemStore.setState({ refusal: null })
})

export const refuse = (field: Field, message: string): void =>
  fieldProblemStore.setState({ refusal: { field, message, value: draftStore.getState()[field] } })

export const pointAt = (field: Field, message: string): void =>
  fieldProblemStore.setState({ pointed: { field, message } })

/** What is wrong with the form: found here while typing, or said by the host when it refused. */
export function useFieldProblems(): FieldProblems {
  const draft = useDraft((state) => state)
  const models = useStudio((state) => state.models)
  const known = useStudio((state) => state.modelsKnown)
  const refusal = useStore(fieldProblemStore, (state) => state.refusal)
  const unfit = useStudio((state) => computeProblem(draft.compute, state.engine))
  return useMemo(() => {
    if (!known) return {}
    const problems = { ...checkDraft(draft, models), ...(unfit && { compute: unfit }) }
    return refusal && draft[refusal.field] === refusal.value
      ? { [refusal.field]: refusal.message, ...problems }
      : problems
  }, [draft, models, known, refusal, unfit])
}
