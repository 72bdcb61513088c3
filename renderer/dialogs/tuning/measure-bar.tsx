import { Gauge, SlidersHorizontal } from 'lucide-react'
import { useState } from 'react'
import { autotuneDraft, profileDraft, stopMeasuring } from '#renderer/actions/tuning.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { runningLive, useStudio } from '#renderer/store/studio.ts'
import { useTuning } from '#renderer/store/tuning.ts'
import { Button } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { Switch } from '#renderer/ui/switch.tsx'
import { shapeWords } from './words.ts'

const megabyte = 2 ** 20

/** Starts a measurement of what the form says, or shows how far it is. */
export function MeasureBar() {
  const measuring = useTuning((state) => state.measuring)
  const busy = useStudio((state) => !!runningLive(state))
  const { numFrames, width, height, guidanceScale, compute } = useDraft((draft) => draft)
  const [limited, setLimited] = useState(false)
  const [limit, setLimit] = useState(1024)
  if (measuring)
    return (
      <div className="tuning-bar">
        <progress aria-label="Progress" value={measuring.progress} max={1} />
        <span role="status">
          {busy && measuring.progress === 0 ? 'Waiting for the clip that is being made' : measuring.stage}
        </span>
        <Button size="small" onClick={stopMeasuring}>
          Cancel
        </Button>
      </div>
    )
  const shape = { numFrames, width, height, compute, batch: guidanceScale > 1 ? 2 : 1 }
  return (
    <div className="tuning-bar">
      <span className="muted">{shapeWords(shape)}</span>
      <label className="tuning-limit">
        <Switch label="Limit the memory" checked={limited} onChange={setLimited} />
        <span aria-hidden="true">At most</span>
      </label>
      <NumberInput
        label="Memory a step may take, in MiB"
        value={limit}
        min={1}
        max={1_048_576}
        width={72}
        disabled={!limited}
        onChange={setLimit}
      />
      <span className="muted">MiB a step</span>
      <Button size="small" onClick={() => void profileDraft()}>
        <Gauge size={13} aria-hidden="true" />
        Profile
      </Button>
      <Button size="small" variant="primary" onClick={() => void autotuneDraft(limited ? limit * megabyte : null)}>
        <SlidersHorizontal size={13} aria-hidden="true" />
        Autotune
      </Button>
    </div>
  )
}
