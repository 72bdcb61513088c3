import type { Detector } from '#app/contract/conditioning.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { newControlNet } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft, type Draft } from '#renderer/store/draft.ts'
import { NumberInput } from '#renderer/ui/number.tsx'
import { FieldProblem, Row } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Switch } from '#renderer/ui/switch.tsx'
import { Add, filled, Steering } from './steering-rows.tsx'

const detectorChoices = [
  { value: 'none', label: 'As they are' },
  { value: 'canny', label: 'Their edges' },
] as const satisfies readonly { value: Detector; label: string }[]

/** ControlNets, each with the frames that it goes by and the part of the run in which it counts. */
export function ControlNets({ problems }: { problems: FieldProblems }) {
  const { controlNets, controlFrames, guessMode, pipeline } = useDraft((draft) => draft)
  const takes = pipelineOf(pipeline).media?.controlFrames?.takes ?? 'clip'
  const replace = (at: number, change: Partial<Draft['controlNets'][number]>): void =>
    editDraft({ controlNets: controlNets.with(at, { ...controlNets[at]!, ...change }) })
  const remove = (at: number): void =>
    editDraft({ controlNets: controlNets.toSpliced(at, 1), controlFrames: controlFrames.toSpliced(at, 1) })
  return (
    <div className="steering" data-field="controlNets">
      {controlNets.map((net, at) => (
        <Steering
          key={at}
          what="ControlNet"
          kind="controlnet"
          id={net.id}
          scale={net.scale}
          onChange={(change) => replace(at, change)}
          onRemove={() => remove(at)}
        >
          <MediaPicker
            label={takes === 'clip' ? 'Frames' : 'Picture'}
            field="controlFrames"
            takes={takes}
            value={controlFrames[at] ?? null}
            problem={problems.controlFrames}
            onChange={(ref) => editDraft({ controlFrames: filled(controlFrames, controlNets.length).with(at, ref) })}
          />
          <Row label="Taken">
            <Segmented
              label={`How the frames of ControlNet ${at + 1} are taken`}
              value={net.detect}
              choices={detectorChoices}
              onChange={(detect) => replace(at, { detect })}
            />
          </Row>
          <Row label="From, to">
            <NumberInput
              label={`ControlNet ${at + 1} begins at`}
              value={net.start}
              min={0}
              max={1}
              step={0.05}
              digits={2}
              onChange={(start) => replace(at, { start })}
            />
            <NumberInput
              label={`ControlNet ${at + 1} ends at`}
              value={net.end}
              min={0}
              max={1}
              step={0.05}
              digits={2}
              onChange={(end) => replace(at, { end })}
            />
          </Row>
        </Steering>
      ))}
      {problems.controlNets && <FieldProblem message={problems.controlNets} />}
      {controlNets.length > 0 && (
        <Row label="Guess" field="guessMode" note="Guesses what the frames show: the prompt may be empty.">
          <Switch label="Guess mode" checked={guessMode} onChange={(on) => editDraft({ guessMode: on })} />
        </Row>
      )}
      <Add
        what="ControlNet"
        kind="controlnet"
        taken={controlNets.map(({ id }) => id)}
        onAdd={(id) =>
          editDraft({
            controlNets: [...controlNets, newControlNet(id)],
            controlFrames: [...filled(controlFrames, controlNets.length), null],
          })
        }
      />
    </div>
  )
}
