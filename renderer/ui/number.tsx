import { NumberField } from '@base-ui/react/number-field'
import { useState } from 'react'

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
  const [refused, setRefused] = useState('')
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
      // What is typed stays as it is typed, for the form to say what is wrong with it.
      allowOutOfRange
      disabled={disabled ?? false}
      // The locale decides about separators; a seed of ten digits must not get any.
      format={{ useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 4) }}
    >
      <NumberField.Input
        className="input"
        aria-label={label}
        aria-invalid={invalid ?? (refused !== '' || undefined)}
        // The field takes no such text, and goes back to its number.
        onChange={({ target }) => setRefused(/[^\d\s.,'’+\-−]/.test(target.value) ? target.value : '')}
        onBlur={() => setRefused('')}
      />
      {refused && (
        <span className="number-refused" role="alert">
          “{refused}” is not a number here
        </span>
      )}
    </NumberField.Root>
  )
}
