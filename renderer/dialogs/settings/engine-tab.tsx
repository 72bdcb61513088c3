import { CircleCheck, CircleMinus, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { DoctorReport } from '#app/contract/system.ts'
import { saveSettings } from '#renderer/actions/settings.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { engineWords } from '#renderer/parts/engine-words.ts'
import { callHost } from '#renderer/store/host.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button } from '#renderer/ui/button.tsx'
import { bytesText } from '#renderer/ui/format.ts'
import { Row } from '#renderer/ui/row.tsx'
import { Slider } from '#renderer/ui/slider.tsx'
import { Switch } from '#renderer/ui/switch.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { tellFailure } from '#renderer/store/toasts.ts'

export function EngineTab() {
  const engine = useStudio((state) => state.engine)
  const saved = useStudio((state) => state.settings?.memoryBudgetMiB)
  // While the thumb moves only the page follows; the engine hears of it when the thumb rests.
  const [moving, setMoving] = useState<number | null>(null)
  const budget = moving ?? saved ?? 0
  const save = (value: number): void => {
    setMoving(null)
    void saveSettings({ memoryBudgetMiB: value })
  }
  return (
    <>
      <h2>Engine</h2>
      <Row
        label="Memory"
        note="Models that were used last stay open up to this much, so that the next run starts at once. Weights are read from their files and count only while they are in use."
      >
        <Slider
          label="Memory budget"
          value={budget}
          min={256}
          max={65_536}
          step={256}
          onChange={setMoving}
          onCommit={save}
        />
        <NumberInput
          label="Memory budget in MiB"
          value={budget}
          min={256}
          max={1_048_576}
          step={256}
          width={78}
          onChange={save}
        />
        <span className="muted">MiB</span>
      </Row>
      <Threads />
      {engine && (
        <Row label="State">
          <span>
            {engineWords[engine.state]}, {engine.provider || 'no provider'}
            {engine.memory.usedBytes > 0 && `, ${bytesText(engine.memory.usedBytes)} in use`}
          </span>
          <CommandButton command="restart" className="push">
            Restart
          </CommandButton>
        </Row>
      )}
      <Doctor />
    </>
  )
}

function Threads() {
  const threads = useStudio((state) => state.settings?.threads ?? null)
  const save = (value: number | null): void => void saveSettings({ threads: value })
  return (
    <Row
      label="Threads"
      note="Of the processor, for a model. As many as are of use are measured once; fewer leave room for other work. Models open anew after a change."
    >
      <Switch
        label="As many as are of use"
        checked={threads === null}
        onChange={(measured) => save(measured ? null : navigator.hardwareConcurrency)}
      />
      {threads === null ? (
        <span className="muted">As many as are of use</span>
      ) : (
        <NumberInput label="Threads of the processor" value={threads} min={1} max={1024} width={78} onChange={save} />
      )}
    </Row>
  )
}

const stateIcons = { ok: CircleCheck, warning: TriangleAlert, missing: CircleMinus }

function Doctor() {
  const [report, setReport] = useState<DoctorReport | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    if (busy) return
    setBusy(true)
    try {
      setReport(await callHost((host) => host.doctor()))
    } catch (error) {
      tellFailure('This machine could not be checked', error)
    }
    setBusy(false)
  }
  return (
    <>
      <Row label="Check-up">
        <Button onClick={() => void run()} aria-busy={busy}>
          {busy ? 'Checking' : 'Check this machine'}
        </Button>
      </Row>
      {report && (
        <ul className="checks">
          {report.checks.map((check) => {
            const Icon = stateIcons[check.state]
            return (
              <li key={check.name} data-state={check.state}>
                <Icon size={14} aria-label={check.state} />
                <span>{check.name}</span>
                <span className="muted">{check.detail}</span>
              </li>
            )
          })}
        </ul>
      )}
    </>
  )
}
