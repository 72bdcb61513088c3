import { Toast } from '@base-ui/react/toast'
import { toProblem } from '#app/contract/errors.ts'

export type ToastKind = 'info' | 'success' | 'warning' | 'error'
export type ToastAction = { label: string; perform: () => void }
export type ToastData = { kind: ToastKind; action?: ToastAction }

/** One for the page, so that actions outside React can speak too. */
export const toastManager = Toast.createToastManager<ToastData>()

export function tell(kind: ToastKind, title: string, description?: string, action?: ToastAction): void {
  toastManager.add({
    title,
    ...(description && { description }),
    // What went wrong is said at once, and stays long enough to be read.
    priority: kind === 'error' ? 'high' : 'low',
    timeout: kind === 'error' || kind === 'warning' ? 12_000 : 6000,
    data: { kind, ...(action && { action }) },
  })
}

/** Says a failure that belongs to no field and no job. */
export const tellFailure = (title: string, error: unknown): void => tell('error', title, toProblem(error).message)
