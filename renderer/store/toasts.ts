import { Toast } from '@base-ui/react/toast'
import { toProblem } from '#app/contract/errors.ts'

export type ToastKind = 'info' | 'success' | 'warning' | 'error'
export type ToastAction = { label: string; perform: () => void }
export type ToastData = { kind: ToastKind; actions: readonly ToastAction[] }

/** One for the page, so that actions outside React can speak too. */
export const toastManager = Toast.createToastManager<ToastData>()

export function tell(kind: ToastKind, title: string, description?: string, ...actions: ToastAction[]): void {
  toastManager.add({
    title,
    ...(description && { description }),
    // All of one priority: Base UI hides an urgent one from assistive technology, its buttons with it, and says its
    // words elsewhere. What went wrong or can be undone stays long enough for it.
    timeout: kind === 'error' || kind === 'warning' || actions.length > 0 ? 12_000 : 6000,
    data: { kind, actions },
  })
}

/** Says a failure that belongs to no field and no job. */
export const tellFailure = (title: string, error: unknown): void => tell('error', title, toProblem(error).message)
