import { Plus, X } from 'lucide-react'
import { presetOf } from '#app/contract/presets.ts'
import type { LoraChoice } from '#app/contract/settings.ts'
import { changeLoraScale } from '#renderer/actions/generate.ts'
import { draftStore, editDraft, useDraft, withWeights } from '#renderer/store/draft.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { runningLive, sameScales, useStudio } from '#renderer/store/studio.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { FieldProblem, Row, SliderRow } from '#renderer/ui/row.tsx'
import { Select } from '#renderer/ui/select.tsx'
import { LiveNote } from './live-note.tsx'
import { modelChoice } from '#renderer/parts/model-choice.tsx'

/** The LoRAs on top of the model, where there are any to choose from. */
export function LoraRows({ problem }: { problem: string | undefined }) {
  const models = useStudio((state) => state.models)
  const loras = useDraft((draft) => draft.loras)
  const live = useStudio((state) => runningLive(state)?.loraScales)
  const known = modelsFor(models, 'lora')
  const free = known.filter((entry) => isUsable(entry) && !loras.some(({ id }) => id === entry.id))
  if (known.length === 0 && loras.length === 0) return null

  const replace = (at: number, ...next: LoraChoice[]): void => change(loras.toSpliced(at, 1, ...next), next[0]?.id)
  // One that is published with settings of its own brings them.
  const change = (loras: LoraChoice[], chosen?: string): void => {
    const entry = known.find(({ id }) => id === chosen)
    if (entry && presetOf(entry, models)) draftStore.setState((draft) => withWeights(draft, { loras }, models))
    else editDraft({ loras })
  }
  return (
    <div className="loras" data-field="loras">
      {loras.map((lora, at) => {
        const name = known.find(({ id }) => id === lora.id)?.name ?? lora.id
        const choices = known.filter(({ id }) => id === lora.id || free.some((entry) => entry.id === id))
        return (
          <div className="lora" key={at} role="group" aria-label={`LoRA ${name}`}>
            <Row label="LoRA">
              <Select
                label={`LoRA ${at + 1}`}
                value={lora.id}
                choices={choices.map(modelChoice)}
                // A recipe may name one that is not here.
                placeholder={`${name} is not here`}
                invalid={!!problem && !known.some(({ id }) => id === lora.id)}
                onChange={(id) => replace(at, { ...lora, id })}
              />
              <IconButton label={`Remove ${name}`} size="small" onClick={() => replace(at)}>
                <X size={13} aria-hidden="true" />
              </IconButton>
            </Row>
            <SliderRow
              label="Scale"
              name={`Scale of ${name}`}
              value={lora.scale}
              min={-1}
              max={2}
              most={10}
              mark={1}
              step={0.05}
              digits={2}
              tone={live && lora.id in live ? 'warp' : 'plain'}
              onChange={(scale) => changeLoraScale(lora.id, scale)}
            />
          </div>
        )
      })}
      {(!live || loras.some(({ id }) => id in live)) && (
        <LiveNote
          what="LoRA scales"
          changes="loraChanges"
          isBehind={({ loraScales, loraScalesUsed }) => !!loraScalesUsed && !sameScales(loraScales, loraScalesUsed)}
          limit="What a LoRA does to the reading of the prompt stays as it was at the start."
        />
      )}
      {problem && <FieldProblem message={problem} />}
      {free[0] && (
        <Row label={loras.length === 0 ? 'LoRA' : ''}>
          <Button
            variant="ghost"
            size="small"
            onClick={() => change([...loras, { id: free[0]!.id, scale: 1 }], free[0]!.id)}
          >
            <Plus size={13} aria-hidden="true" />
            Add LoRA
          </Button>
        </Row>
      )}
    </div>
  )
}
