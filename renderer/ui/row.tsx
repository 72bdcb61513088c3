import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { NumberInput } from './number.tsx'
import { Slider } from './slider.tsx'

export type RowProps = {
  label: ReactNode
  /** The field's name, so that a problem can take the focus there. */
  field?: string | undefined
  problem?: string | undefined
  note?: ReactNode
  stacked?: boolean
  children: ReactNode
}

/** A label and its control, with what is wrong beneath. The control carries its own accessible name. */
export function Row({ label, field, problem, note, stacked, children }: RowProps) {
  return (
    <div className={stacked ? 'row row-stacked' : 'row'} data-field={field} data-invalid={problem ? '' : undefined}>
      <div className="row-label">{label}</div>
      <div className="row-control">{children}</div>
      {problem && <FieldProblem message={problem} />}
      {!problem && note && <div className="field-note">{note}</div>}
    </div>
  )
}

export function FieldProblem({ message }: { message: string }) {
  return (
    <div className="field-problem" role="alert">
      <CircleAlert size={12} aria-hidden="true" />
      <span>{message}</span>
    </div>
  )
}

export type SliderRowProps = {
  label: string
  field?: string
  value: number
  onChange: (value: number) => void
  min: number
  /** The slider's end; the number may go on to `most`. */
  max: number
  most?: number
  step: number
  digits?: number
  mark?: number
  tone?: 'plain' | 'warp'
  problem?: string | undefined
  note?: ReactNode
  disabled?: boolean
  /** For assistive technology, where the visible label is only a letter. */
  name?: string
}

export function SliderRow({
  label,
  name = label,
  field,
  problem,
  note,
  most,
  digits,
  step,
  mark,
  tone,
  ...range
}: SliderRowProps) {
  return (
    <Row label={label} field={field} problem={problem} note={note}>
      <Slider label={name} step={step} mark={mark} tone={tone} {...range} />
      <NumberInput
        label={`${name} value`}
        step={step}
        width={58}
        invalid={!!problem}
        {...range}
        max={most ?? range.max}
        {...(digits !== undefined && { digits })}
      />
    </Row>
  )
}
