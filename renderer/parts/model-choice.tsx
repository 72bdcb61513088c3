import type { ModelEntry } from '#app/contract/models.ts'
import { isUsable } from '#renderer/store/models.ts'
import { bytesText } from '#renderer/ui/format.ts'
import type { Choice } from '#renderer/ui/select.tsx'

export function modelChoice(model: ModelEntry): Choice<string> {
  const facts = [
    model.detail,
    model.precision,
    bytesText(model.bytes),
    model.numFrames && `${model.numFrames} frames`,
    model.numLabels && `${model.numLabels} labels`,
  ]
  return {
    value: model.id,
    label: model.name,
    detail: model.problem?.message ?? facts.filter(Boolean).join(' · '),
    side: model.demo ? <span className="badge">demo</span> : undefined,
    disabled: !isUsable(model),
  }
}
