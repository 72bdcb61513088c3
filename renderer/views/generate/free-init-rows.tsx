import { defaultFreeInit, freeInitMethods, type FreeInit } from '#app/contract/free-init.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { SegmentedRow, SwitchRow } from '#renderer/ui/control-rows.tsx'
import { SliderRow } from '#renderer/ui/row.tsx'

const methods: Readonly<Record<FreeInit['method'], string>> = {
  butterworth: 'Butterworth',
  gaussian: 'Gaussian',
  ideal: 'Ideal',
}
const frequencies = [
  { key: 'spatialStopFrequency', label: 'In a frame', name: 'Spatial stop frequency' },
  { key: 'temporalStopFrequency', label: 'Over time', name: 'Temporal stop frequency' },
] as const

/** FreeInit: rounds that make a clip steadier. */
export function FreeInitRows({ problem }: { problem: string | undefined }) {
  const freeInit = useDraft((draft) => draft.freeInit)
  const edit = (change: Partial<FreeInit>): void =>
    editDraft({ freeInit: { ...defaultFreeInit, ...freeInit, ...change } })
  return (
    <>
      <SwitchRow
        label="FreeInit"
        field="freeInit"
        problem={problem}
        note={
          freeInit && 'Each round begins with what the last one has in common over all frames: steadier, and slower.'
        }
        checked={freeInit !== null}
        onChange={(on) => editDraft({ freeInit: on ? defaultFreeInit : null })}
      />
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
          <SwitchRow
            label="Fast"
            name="Fewer steps in the first rounds"
            checked={freeInit.useFastSampling}
            onChange={(useFastSampling) => edit({ useFastSampling })}
          />
          <SegmentedRow
            label="Filter"
            name="Filter of FreeInit"
            value={freeInit.method}
            choices={freeInitMethods.map((value) => ({ value, label: methods[value] }))}
            onChange={(method) => edit({ method })}
          />
          {freeInit.method === 'butterworth' && (
            <SliderRow
              label="Steepness"
              name="Order of the filter"
              value={freeInit.order}
              min={1}
              max={8}
              most={32}
              step={1}
              onChange={(order) => edit({ order })}
            />
          )}
          {frequencies.map(({ key, ...names }) => (
            <SliderRow
              key={key}
              {...names}
              value={freeInit[key]}
              min={0}
              max={1}
              step={0.05}
              digits={2}
              onChange={(value) => edit({ [key]: value })}
            />
          ))}
        </>
      )}
    </>
  )
}
