import { Popover } from '@base-ui/react/popover'
import { ScrollText } from 'lucide-react'
import type { PictureResult } from '#app/contract/results.ts'
import { Button } from '#renderer/ui/button.tsx'
import { popups } from '#renderer/ui/popups.ts'
import { ClipInspector } from './clip-inspector.tsx'

/** The recipe of the clip on the stage, where it has no column of its own. */
export function RecipeButton({ clip }: { clip: PictureResult }) {
  return (
    <Popover.Root>
      <Popover.Trigger render={<Button variant="ghost" />}>
        <ScrollText size={14} aria-hidden="true" />
        Recipe
      </Popover.Trigger>
      <Popover.Portal container={popups}>
        <Popover.Positioner className="popup-positioner" sideOffset={4} align="end">
          <Popover.Popup className="popup recipe-popup scroll" aria-label="Recipe">
            <ClipInspector clip={clip} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
