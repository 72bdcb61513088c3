import { useMemo } from 'react'
import { computeProblem } from '#renderer/store/compute.ts'
import { checkDraft } from '#renderer/store/checks.ts'
import { draftStore, editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { useRefusal } from '#renderer/actions/generate.ts'
import { ComputeSection } from '#renderer/parts/compute-section.tsx'
import { AdvancedSection } from './advanced-section.tsx'
import { ClipSection } from './clip-section.tsx'
import { GenerateButton } from './generate-button.tsx'
import { ModelSection } from './model-section.tsx'
import { PromptSection } from './prompt-section.tsx'
import { SamplingSection } from './sampling-section.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import './generate.css'

export function GenerateForm({ children }: { children?: React.ReactNode }) {
  const problems = useProblems()
  const compute = useDraft((draft) => draft.compute)
  return (
    <form className="form" aria-label="Generate" onSubmit={(event) => event.preventDefault()}>
      <div className="form-scroll scroll">
        <ModelSection problems={problems} />
        <PromptSection problems={problems} />
        <ClipSection problems={problems} />
        <SamplingSection problems={problems} />
        {children}
        <ComputeSection
          compute={compute}
          problem={problems.compute}
          onChange={(next) => editDraft({ compute: next })}
        />
        <AdvancedSection problems={problems} />
      </div>
      <GenerateButton />
    </form>
  )
}

/** What is wrong with the form: found here while typing, or said by the host when it refused. */
function useProblems(): FieldProblems {
  const draft = useDraft((state) => state)
  const models = useStudio((state) => state.models)
  const known = useStudio((state) => state.modelsKnown)
  const refusal = useRefusal()
  const unfit = useStudio((state) => computeProblem(draft.compute, state.engine))
  return useMemo(() => {
    if (!known) return {}
    const problems = { ...checkDraft(draft, models), ...(unfit && { compute: unfit }) }
    return refusal && draftStore.getState()[refusal.field] === refusal.value
      ? { [refusal.field]: refusal.message, ...problems }
      : problems
  }, [draft, models, known, refusal, unfit])
}
