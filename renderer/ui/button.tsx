import { Tooltip } from '@base-ui/react/tooltip'
import { Plus, X } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { usePopups } from './popups.ts'
import { Keys } from './keys.tsx'

type ButtonProps = ComponentProps<'button'> & {
  variant?: 'plain' | 'primary' | 'ghost' | 'danger'
  size?: 'small' | 'normal' | 'large'
}

export function Button({ variant = 'plain', size = 'normal', className, ...props }: ButtonProps) {
  return (
    <button
      type="button"
      className={className ? `button ${className}` : 'button'}
      data-variant={variant}
      data-size={size}
      {...props}
    />
  )
}

/** A button with a picture only: its label is its accessible name and its tooltip. */
export function IconButton({
  label,
  shortcut,
  children,
  ...props
}: Omit<ButtonProps, 'children'> & { label: string; shortcut?: string | undefined; children: ReactNode }) {
  return (
    <Tip text={label} shortcut={shortcut}>
      <Button aria-label={label} data-icon="" variant="ghost" {...props}>
        {children}
      </Button>
    </Tip>
  )
}

type TipProps = {
  text: ReactNode
  shortcut?: string | undefined
  side?: 'top' | 'bottom' | 'left' | 'right'
  children: React.ReactElement
}

export function Tip({ text, shortcut, side = 'top', children }: TipProps) {
  const popups = usePopups()
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal container={popups}>
        <Tooltip.Positioner className="popup-positioner" positionMethod="fixed" side={side} sideOffset={6}>
          <Tooltip.Popup className="tip">
            {text}
            {shortcut && <Keys shortcut={shortcut} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}

/** Takes one out of a list. */
export function RemoveButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <IconButton label={`Remove ${what}`} size="small" onClick={onClick}>
      <X size={13} aria-hidden="true" />
    </IconButton>
  )
}

/** Puts one more into a list. */
export function AddButton({ children, ...props }: ButtonProps) {
  return (
    <Button variant="ghost" size="small" {...props}>
      <Plus size={13} aria-hidden="true" />
      {children}
    </Button>
  )
}
