import { presetOf } from '#app/contract/presets.ts'
import type { LoraChoice } from '#app/contract/settings.ts'
import { changeLoraScale } from '#renderer/actions/generate.ts'
import { draftStore, editDraft, useDraft, withWeights } from '#renderer/store/draft.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { runningLive, sameScales, useStudio } from '#renderer/store/studio.ts'
import { FieldProblem } from '#renderer/ui/row.tsx'
import { LiveNote } from './live-note.tsx'
import { AddModel, ScaledModel } from './model-rows.tsx'

/** The LoRAs on top of the model, where there are any to choose from. */
export function LoraRows({ problem }: { problem: string | undefined }) {
  const models = useStudio((state) => state.models)
  const loras = useDraft((draft) => draft.loras)
  const live = useStudio((state) => runningLive(state)?.loraScales)
  if (modelsFor(models, 'lora').length === 0 && loras.length === 0) return null

  const taken = loras.map(({ id }) => id)
  const replace = (at: number, ...next: LoraChoice[]): void => change(loras.toSpliced(at, 1, ...next), next[0]?.id)
  // One that is published with settings of its own brings them.
  const change = (loras: LoraChoice[], chosen?: string): void => {
    const entry = models.find(({ id }) => id === chosen)
    if (entry && presetOf(entry, models)) draftStore.setState((draft) => withWeights(draft, { loras }, models))
    else editDraft({ loras })
  }
  return (
    <div className="rows" data-field="loras">
      {loras.map((lora, at) => (
        <ScaledModel
          key={at}
          what="LoRA"
          kind="lora"
          name={`LoRA ${at + 1}`}
          id={lora.id}
          scale={lora.scale}
          taken={taken}
          min={-1}
          most={10}
          tone={live && lora.id in live ? 'warp' : 'plain'}
          onChange={({ id, scale }) =>
            scale === undefined
              ? replace(at, { ...lora, ...(id !== undefined && { id }) })
              : changeLoraScale(lora.id, scale)
          }
          onRemove={() => replace(at)}
        />
      ))}
      {(!live || loras.some(({ id }) => id in live)) && (
        <LiveNote
          what="LoRA scales"
          changes="loraChanges"
          isBehind={({ loraScales, loraScalesUsed }) => !!loraScalesUsed && !sameScales(loraScales, loraScalesUsed)}
          limit="What a LoRA does to the reading of the prompt stays as it was at the start."
        />
      )}
      {problem && <FieldProblem message={problem} />}
      <AddModel what="LoRA" kind="lora" taken={taken} onAdd={(id) => change([...loras, { id, scale: 1 }], id)} />
    </div>
  )
}
