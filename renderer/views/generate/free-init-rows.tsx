import { defaultFreeInit, freeInitMethods, type FreeInit } from '#app/contract/free-init.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Row, SliderRow } from '#renderer/ui/row.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Switch } from '#renderer/ui/switch.tsx'

const methods: Readonly<Record<FreeInit['method'], string>> = {
  butterworth: 'Butterworth',
  gaussian: 'Gaussian',
  ideal: 'Ideal',
}

/** FreeInit: rounds that make a clip steadier. */
export function FreeInitRows({ problem }: { problem: string | undefined }) {
  const freeInit = useDraft((draft) => draft.freeInit)
  const edit = (change: Partial<FreeInit>): void =>
    editDraft({ freeInit: { ...defaultFreeInit, ...freeInit, ...change } })
  return (
    <>
      <Row
        label="FreeInit"
        field="freeInit"
        problem={problem}
        note={
          freeInit && 'Each round begins with what the last one has in common over all frames: steadier, and slower.'
        }
      >
        <Switch
          label="FreeInit"
          checked={freeInit !== null}
          onChange={(on) => editDraft({ freeInit: on ? defaultFreeInit : null })}
        />
      </Row>
      {freeInit && (
        <>
          <SliderRow
            label="Rounds"
            value={freeInit.numIters}
            min={1}
            max={5}
            most={10}
            step={1}
            onChange={(numIters) => edit({ numIters })}
          />
          <Row label="Fast">
            <Switch
              label="Fewer steps in the first rounds"
              checked={freeInit.useFastSampling}
              onChange={(useFastSampling) => edit({ useFastSampling })}
            />
          </Row>
          <Row label="Filter">
            <Segmented
              label="Filter of FreeInit"
              value={freeInit.method}
              choices={freeInitMethods.map((value) => ({ value, label: methods[value] }))}
              onChange={(method) => edit({ method })}
            />
          </Row>
          <SliderRow
            label="In a frame"
            name="Spatial stop frequency"
            value={freeInit.spatialStopFrequency}
            min={0}
            max={1}
            step={0.05}
            digits={2}
            onChange={(spatialStopFrequency) => edit({ spatialStopFrequency })}
          />
          <SliderRow
            label="Over time"
            name="Temporal stop frequency"
            value={freeInit.temporalStopFrequency}
            min={0}
            max={1}
            step={0.05}
            digits={2}
            onChange={(temporalStopFrequency) => edit({ temporalStopFrequency })}
          />
        </>
      )}
    </>
  )
}
