import { Switch as Base } from '@base-ui/react/switch'

export type SwitchProps = { label: string; checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }

export function Switch({ label, checked, onChange, disabled }: SwitchProps) {
  return (
    <Base.Root
      className="switch"
      aria-label={label}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled ?? false}
    >
      <Base.Thumb className="switch-thumb" />
    </Base.Root>
  )
}
