import { AlertDialog } from '@base-ui/react/alert-dialog'
import { deleteResult, shortTitle } from '#renderer/actions/library.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { setView, useView } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'

export function DeleteDialog() {
  const id = useView((state) => state.deleting)
  const result = useStudio((state) => state.results.find((entry) => entry.id === id))
  const close = (): void => setView({ deleting: null })
  const isClip = result?.kind === 'clip'
  return (
    <AlertDialog.Root open={!!result} onOpenChange={(open) => !open && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="scrim" />
        <AlertDialog.Viewport className="dialog-viewport">
          <AlertDialog.Popup className="dialog confirm">
            <AlertDialog.Title>{isClip ? 'Delete this clip?' : 'Delete this classification?'}</AlertDialog.Title>
            <AlertDialog.Description>
              “{shortTitle(result?.title ?? '')}” {isClip ? 'and its file are removed' : 'is removed'} from the library.
              This cannot be undone.
            </AlertDialog.Description>
            <div className="confirm-actions">
              <AlertDialog.Close render={<Button />}>Keep</AlertDialog.Close>
              <Button
                variant="danger"
                onClick={() => {
                  close()
                  if (result) void deleteResult(result.id)
                }}
              >
                Delete
              </Button>
            </div>
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
