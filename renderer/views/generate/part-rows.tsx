import { pipelineOf } from '#app/contract/pipelines.ts'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SelectRow } from '#renderer/ui/control-rows.tsx'

const parts = [
  { field: 'textEncoder', label: 'Text encoder', own: 'The checkpoint’s own', only: undefined },
  { field: 'vae', label: 'VAE', own: 'The checkpoint’s own', only: undefined },
  { field: 'previewVae', label: 'Preview', own: 'As the checkpoint has it', only: 'AutoencoderTiny' },
] as const

/** Parts of a checkpoint that may come from elsewhere, where there are others to choose from. */
export function PartRows({ problems }: { problems: FieldProblems }) {
  const models = useStudio((state) => state.models)
  const draft = useDraft((draft) => draft)
  return parts.map(({ field, label, own, only }) => {
    const role = pipelineOf(draft.pipeline).models[field]
    const choices = role ? modelsFor(models, role.kind).filter((one) => !only || one.className === only) : []
    if (!role || (choices.length === 0 && draft[field] === null)) return null
    return (
      <SelectRow<string | null>
        key={field}
        label={label}
        field={field}
        problem={problems[field]}
        value={draft[field]}
        choices={[{ value: null, label: own }, ...choices.map(modelChoice)]}
        onChange={(id) => editDraft({ [field]: id })}
      />
    )
  })
}
