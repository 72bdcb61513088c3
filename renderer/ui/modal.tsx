import { Dialog } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Popups } from './popups.ts'

type ModalProps = {
  open: boolean
  onClose: () => void
  className: string
  /** Its accessible name where it has no heading. */
  label?: string
  place?: 'top'
  children: ReactNode
}

/** A dialog that everything else waits for. */
export function Modal({ open, onClose, className, label, place, children }: ModalProps) {
  const lists = useRef<HTMLDivElement>(null)
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Viewport className="dialog-viewport" data-place={place}>
          <Dialog.Popup className={`dialog ${className}`} aria-label={label}>
            <Popups value={lists}>{children}</Popups>
            <div ref={lists} />
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** Its heading, with a way out. */
export function ModalHead({ title }: { title: string }) {
  return (
    <header className="dialog-head">
      <Dialog.Title>{title}</Dialog.Title>
      <Dialog.Close render={<Button data-icon="" variant="ghost" aria-label="Close" />}>
        <X size={15} aria-hidden="true" />
      </Dialog.Close>
    </header>
  )
}
