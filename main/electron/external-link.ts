import { dialog, shell } from 'electron'
import { externalUrl } from './origin.ts'

/**
 * The only way out to the system's browser: https, and only when the user says so with the address before their eyes.
 */
export async function openExternal(url: string): Promise<void> {
  const target = externalUrl(url)
  if (target === null) return
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: 'Open this page in your browser?',
    detail: target.slice(0, 500),
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
  })
  if (response === 0) await shell.openExternal(target)
}
