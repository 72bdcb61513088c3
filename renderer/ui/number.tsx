import { NumberField } from '@base-ui/react/number-field'

type NumberInputProps = {
  label: string
  value: number
  onChange: (value: number) => void
  min: number
  max: number
  step?: number
  /** Digits after the point that are always shown. */
  digits?: number
  width?: number | undefined
  invalid?: boolean
  disabled?: boolean
}

export function NumberInput({
  label,
  value,
  onChange,
  min,
  max,
  step = 1,
  digits = 0,
  width,
  invalid,
  disabled,
}: NumberInputProps) {
  return (
    <NumberField.Root
      className="number"
      style={width === undefined ? { flex: 1 } : { width, flex: 'none' }}
      value={value}
      onValueChange={(next) => next !== null && onChange(next)}
      min={min}
      max={max}
      step={step}
      smallStep={step}
      largeStep={step * 10}
      disabled={disabled ?? false}
      // The locale decides about separators; a seed of ten digits must not get any.
      format={{ useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 4) }}
    >
      <NumberField.Input className="input" aria-label={label} aria-invalid={invalid ?? undefined} />
    </NumberField.Root>
  )
}
