import type { Detector } from '#app/contract/conditioning.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { newControlNet } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft, type Draft } from '#renderer/store/draft.ts'
import { PairRow, SegmentedRow } from '#renderer/ui/control-rows.tsx'
import { FieldProblem } from '#renderer/ui/row.tsx'
import { DraftSwitch } from './draft-rows.tsx'
import { AddModel, filled, ScaledModel } from './model-rows.tsx'

const detectorChoices = [
  { value: 'none', label: 'As they are' },
  { value: 'canny', label: 'Their edges' },
] as const satisfies readonly { value: Detector; label: string }[]

/** ControlNets, each with the frames that it goes by and the part of the run in which it counts. */
export function ControlNets({ problems }: { problems: FieldProblems }) {
  const { controlNets, controlFrames, pipeline } = useDraft((draft) => draft)
  const takes = pipelineOf(pipeline).media?.controlFrames?.takes ?? 'clip'
  const taken = controlNets.map(({ id }) => id)
  const replace = (at: number, change: Partial<Draft['controlNets'][number]>): void =>
    editDraft({ controlNets: controlNets.with(at, { ...controlNets[at]!, ...change }) })
  return (
    <div className="rows" data-field="controlNets">
      {controlNets.map((net, at) => (
        <ScaledModel
          key={at}
          what="ControlNet"
          kind="controlnet"
          id={net.id}
          scale={net.scale}
          taken={taken}
          onChange={(change) => replace(at, change)}
          onRemove={() =>
            editDraft({ controlNets: controlNets.toSpliced(at, 1), controlFrames: controlFrames.toSpliced(at, 1) })
          }
        >
          <MediaPicker
            label={takes === 'clip' ? 'Frames' : 'Picture'}
            field="controlFrames"
            takes={takes}
            value={controlFrames[at] ?? null}
            problem={problems.controlFrames}
            onChange={(ref) => editDraft({ controlFrames: filled(controlFrames, controlNets.length).with(at, ref) })}
          />
          <SegmentedRow
            label="Taken"
            name={`How the frames of ControlNet ${at + 1} are taken`}
            value={net.detect}
            choices={detectorChoices}
            onChange={(detect) => replace(at, { detect })}
          />
          <PairRow
            label="From, to"
            names={{ start: `ControlNet ${at + 1} begins at`, end: `ControlNet ${at + 1} ends at` }}
            value={net}
            min={0}
            max={1}
            step={0.05}
            digits={2}
            onChange={({ start, end }) => replace(at, { start, end })}
          />
        </ScaledModel>
      ))}
      {problems.controlNets && <FieldProblem message={problems.controlNets} />}
      {controlNets.length > 0 && (
        <DraftSwitch
          label="Guess"
          name="Guess mode"
          field="guessMode"
          note="Guesses what the frames show: the prompt may be empty."
          problems={problems}
        />
      )}
      <AddModel
        what="ControlNet"
        kind="controlnet"
        taken={taken}
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
