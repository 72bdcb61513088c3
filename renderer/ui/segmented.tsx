import { Toggle } from '@base-ui/react/toggle'
import { ToggleGroup } from '@base-ui/react/toggle-group'

export type SegmentedProps<T extends string> = {
  label: string
  /** null: none of them. */
  value: T | null
  choices: readonly { value: T; label: string }[]
  onChange: (value: T) => void
  disabled?: boolean
}

export function Segmented<T extends string>({ label, value, choices, onChange, disabled }: SegmentedProps<T>) {
  return (
    <ToggleGroup
      className="segmented"
      aria-label={label}
      value={value === null ? [] : [value]}
      onValueChange={([next]) => next !== undefined && onChange(next)}
      disabled={disabled ?? false}
    >
      {choices.map((choice) => (
        <Toggle key={choice.value} value={choice.value}>
          {choice.label}
        </Toggle>
      ))}
    </ToggleGroup>
  )
}
