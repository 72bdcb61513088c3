import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { usePopups } from './popups.ts'

export type Choice<T> = {
  value: T
  label: string
  detail?: string | undefined
  side?: ReactNode
  /** Why it cannot be chosen. */
  disabled?: boolean
}

export type SelectProps<T> = {
  label: string
  value: T
  choices: readonly Choice<T>[]
  onChange: (value: T) => void
  placeholder?: string
  /** At the foot of the menu. */
  menuNote?: ReactNode
  disabled?: boolean
  invalid?: boolean
}

export function Select<T extends string | number | null>({
  label,
  value,
  choices,
  onChange,
  placeholder,
  menuNote,
  disabled,
  invalid,
}: SelectProps<T>) {
  const popups = usePopups()
  // When its list changes with its value, Base UI says in mid-change that it chose what it was first mounted with, or
  // null. It is mounted with nothing, and null is none of its values: neither is a choice of ours.
  const [trigger, setTrigger] = useState<HTMLButtonElement | null>(null)
  return (
    <Base.Root
      items={choices.map((choice) => ({ value: String(choice.value), label: choice.label }))}
      value={trigger && choices.some((choice) => choice.value === value) ? String(value) : null}
      onValueChange={(next) => {
        const choice = choices.find((entry) => String(entry.value) === next)
        if (choice) onChange(choice.value)
      }}
      disabled={disabled ?? false}
      modal={false}
    >
      <Base.Trigger ref={setTrigger} className="select-trigger" aria-label={label} aria-invalid={invalid ?? undefined}>
        <Base.Value className="select-value" placeholder={placeholder} />
        <ChevronsUpDown size={13} aria-hidden="true" />
      </Base.Trigger>
      <Base.Portal container={popups}>
        <Base.Positioner
          className="popup-positioner"
          // Fixed: a dialog shows nothing beyond its edge of what is placed in it.
          positionMethod="fixed"
          sideOffset={4}
          alignItemWithTrigger={false}
        >
          <Base.Popup className="popup select-popup">
            <Base.List aria-label={label}>
              {choices.map((choice) => (
                <Base.Item
                  key={String(choice.value)}
                  value={String(choice.value)}
                  className="item"
                  disabled={choice.disabled ?? false}
                >
                  <Base.ItemIndicator className="item-mark">
                    <Check size={13} aria-hidden="true" />
                  </Base.ItemIndicator>
                  <Base.ItemText className="item-text">{choice.label}</Base.ItemText>
                  {choice.side && <span className="item-side">{choice.side}</span>}
                  {choice.detail && <span className="item-detail">{choice.detail}</span>}
                </Base.Item>
              ))}
            </Base.List>
            {menuNote && <p className="popup-note">{menuNote}</p>}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
