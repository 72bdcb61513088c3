import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, Info, TriangleAlert, X } from 'lucide-react'
import { Button } from '#renderer/ui/button.tsx'
import { toastManager, type ToastData } from '#renderer/store/toasts.ts'

const icons = { info: Info, success: CircleCheck, warning: TriangleAlert, error: CircleAlert }

export function Toaster() {
  return (
    <Toast.Provider toastManager={toastManager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function ToastList() {
  const { toasts, close } = Toast.useToastManager<ToastData>()
  return toasts.map((toast) => {
    const kind = toast.data?.kind ?? 'info'
    const Icon = icons[kind]
    const actions = toast.data?.actions ?? []
    return (
      <Toast.Root key={toast.id} toast={toast} className="toast" data-kind={kind}>
        <Icon size={15} aria-hidden="true" />
        <Toast.Content>
          <Toast.Title className="toast-title" render={<div />} />
          <Toast.Description className="toast-text" render={<div />} />
          {actions.length > 0 && (
            <div className="toast-actions">
              {actions.map(({ label, perform }) => (
                <Button
                  key={label}
                  size="small"
                  onClick={() => {
                    close(toast.id)
                    perform()
                  }}
                >
                  {label}
                </Button>
              ))}
            </div>
          )}
        </Toast.Content>
        <Toast.Close render={<Button data-icon="" variant="ghost" size="small" aria-label="Dismiss" />}>
          <X size={13} aria-hidden="true" />
        </Toast.Close>
      </Toast.Root>
    )
  })
}
