import {
  precisions,
  precisionsOf,
  providerNames,
  providerTitles,
  type Compute,
  type Precision,
} from '#app/contract/compute.ts'
import { computeLabel, computeProblem, deviceNames, hasExact, withCompute } from '#renderer/store/compute.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SelectRow, SwitchRow } from '#renderer/ui/control-rows.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'

const precisionDetails: Record<Precision, string> = {
  float32: 'Full precision',
  int8: 'Large models about 2 to 4 times as fast, a small loss',
  float16: 'Half the memory, a small loss',
}
const quantisedOnce = ' Weights are quantised once, at the first run.'

type ComputeSectionProps = { compute: Compute; problem?: string | undefined; onChange: (compute: Compute) => void }

/** What the models run on, and how finely. */
export function ComputeSection({ compute, problem, onChange }: ComputeSectionProps) {
  const engine = useStudio((state) => state.engine)
  const { provider, precision, exact } = compute
  const devices = providerNames.filter((name) => name === provider || engine?.providers.includes(name))
  return (
    <FoldedSection title="Compute" summary={computeLabel(compute)}>
      <SelectRow
        label="Device"
        field="compute"
        problem={problem}
        value={provider}
        choices={devices.map((value) => {
          const refused = computeProblem({ provider: value, precision: 'float32' }, engine)
          return {
            value,
            label: deviceNames[value],
            detail: refused ?? (value === 'cpu' ? undefined : 'Checked when it is used first'),
            disabled: refused !== undefined,
          }
        })}
        onChange={(value) => onChange(withCompute(compute, { provider: value }))}
      />
      <SelectRow
        label="Precision"
        note={precision !== 'float32' && `${precisionDetails[precision]}.${precision === 'int8' ? quantisedOnce : ''}`}
        value={precision}
        choices={precisions.map((value) => {
          const offered = precisionsOf(provider).includes(value)
          const refused = computeProblem({ provider, precision: value }, engine)
          return {
            value,
            label: value,
            detail: offered ? (refused ?? precisionDetails[value]) : `Not on ${providerTitles[provider]}`,
            disabled: !offered || refused !== undefined,
          }
        })}
        onChange={(value) => onChange(withCompute(compute, { precision: value }))}
      />
      <SwitchRow
        label="Exact"
        note={
          hasExact(compute)
            ? 'Leaves out kernels that are faster but differ in the last digits.'
            : 'Only for float32 on the processor.'
        }
        checked={exact}
        disabled={!hasExact(compute)}
        onChange={(on) => onChange({ ...compute, exact: on })}
      />
    </FoldedSection>
  )
}
