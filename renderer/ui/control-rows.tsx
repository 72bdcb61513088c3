import type { ReactNode } from 'react'
import { NumberInput } from './number.tsx'
import { Row, type RowProps } from './row.tsx'
import { Segmented, type SegmentedProps } from './segmented.tsx'
import { Select, type SelectProps } from './select.tsx'
import { Switch, type SwitchProps } from './switch.tsx'

type RowOf<Control> = Omit<RowProps, 'label' | 'stacked' | 'children'> &
  Omit<Control, 'label'> & {
    label: string
    /** Of the control, for assistive technology, where the label does not say it all. */
    name?: string
    /** Behind the control. */
    children?: ReactNode
  }

/** A label and a choice out of a menu. */
export function SelectRow<T extends string | number | null>({
  label,
  name = label,
  field,
  problem,
  note,
  children,
  invalid = !!problem,
  ...select
}: RowOf<SelectProps<T>>) {
  return (
    <Row label={label} field={field} problem={problem} note={note}>
      <Select label={name} invalid={invalid} {...select} />
      {children}
    </Row>
  )
}

/** A label and a choice whose few values are all seen. */
export function SegmentedRow<T extends string>({
  label,
  name = label,
  field,
  problem,
  note,
  children,
  ...segmented
}: RowOf<SegmentedProps<T>>) {
  return (
    <Row label={label} field={field} problem={problem} note={note}>
      <Segmented label={name} {...segmented} />
      {children}
    </Row>
  )
}

/** A label and a switch. */
export function SwitchRow({ label, name = label, field, problem, note, children, ...control }: RowOf<SwitchProps>) {
  return (
    <Row label={label} field={field} problem={problem} note={note}>
      <Switch label={name} {...control} />
      {children}
    </Row>
  )
}

type Pair<K extends string> = Readonly<Record<K, number>>

type PairRowProps<K extends string> = RowOf<{
  value: NoInfer<Pair<K>>
  onChange: (value: Pair<K>) => void
}> & {
  /** What the two numbers are, in the order in which they stand, and their names for assistive technology. */
  names: Readonly<Record<K, string>>
  /** Between them. */
  sign?: string
  min: number
  max: number
  step?: number
  digits?: number
}

/** Two numbers that belong together, such as a width and a height. */
export function PairRow<K extends string>({
  label,
  field,
  problem,
  note,
  names,
  sign,
  value,
  onChange,
  children,
  ...range
}: PairRowProps<K>) {
  const [first, second] = Object.keys(names) as [K, K]
  const side = (key: K) => (
    <NumberInput
      label={names[key]}
      value={value[key]}
      invalid={!!problem}
      {...range}
      onChange={(next) => onChange({ ...value, [key]: next })}
    />
  )
  return (
    <Row label={label} field={field} problem={problem} note={note}>
      {side(first)}
      {sign && (
        <span className="muted" aria-hidden="true">
          {sign}
        </span>
      )}
      {side(second)}
      {children}
    </Row>
  )
}
