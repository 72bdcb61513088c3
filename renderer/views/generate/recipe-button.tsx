import { Popover } from '@base-ui/react/popover'
import { ScrollText } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '#renderer/ui/button.tsx'
import { popups } from '#renderer/ui/popups.ts'

/** The recipe of what is on the stage, where it has no column of its own. */
export function RecipeButton({ children }: { children: ReactNode }) {
  return (
    <Popover.Root>
      <Popover.Trigger render={<Button variant="ghost" />}>
        <ScrollText size={14} aria-hidden="true" />
        Recipe
      </Popover.Trigger>
      <Popover.Portal container={popups}>
        <Popover.Positioner className="popup-positioner" sideOffset={4} align="end">
          <Popover.Popup className="popup recipe-popup scroll" aria-label="Recipe">
            {children}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
