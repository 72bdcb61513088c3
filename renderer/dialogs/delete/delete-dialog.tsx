import { AlertDialog } from '@base-ui/react/alert-dialog'
import { deleteResult, shortTitle } from '#renderer/actions/library.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { closeDialog, useDialog } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'

export function DeleteDialog() {
  const id = useDialog('delete')?.id
  const result = useStudio((state) => state.results.find((entry) => entry.id === id))
  const hasFile = result && 'bytes' in result
  return (
    <AlertDialog.Root open={!!result} onOpenChange={(open) => !open && closeDialog()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="scrim" />
        <AlertDialog.Viewport className="dialog-viewport">
          <AlertDialog.Popup className="dialog confirm">
            <AlertDialog.Title>Delete this {result?.kind}?</AlertDialog.Title>
            <AlertDialog.Description>
              “{shortTitle(result?.title ?? '')}” {hasFile ? 'and its file are removed' : 'is removed'} from the
              library. This cannot be undone.
            </AlertDialog.Description>
            <div className="confirm-actions">
              <AlertDialog.Close render={<Button />}>Keep</AlertDialog.Close>
              <Button
                variant="danger"
                onClick={() => {
                  closeDialog()
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
