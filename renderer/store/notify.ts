import { createStore, useStore } from 'zustand'
import { keep, readKept } from './kept.ts'

/**
 * Whether the system tells what ended while the page is hidden: `off` until somebody asks for it, `denied` where the
 * browser was told not to, `impossible` where it cannot.
 */
export type Notify = 'on' | 'off' | 'denied' | 'impossible'

const key = 'frameloom.notify'

function now(): Notify {
  if (typeof Notification === 'undefined') return 'impossible'
  if (Notification.permission === 'denied') return 'denied'
  return Notification.permission === 'granted' && readKept(key) === 'on' ? 'on' : 'off'
}

export const notifyStore = createStore<{ notify: Notify }>(() => ({ notify: now() }))
export const useNotify = (): Notify => useStore(notifyStore, ({ notify }) => notify)

/** Has to be called by a click: browsers ask the user at no other time. */
export async function setNotify(on: boolean): Promise<void> {
  keep(key, on ? 'on' : 'off')
  if (on && typeof Notification !== 'undefined') await Notification.requestPermission()
  notifyStore.setState({ notify: now() })
}

/** Has the system say it while nobody sees the page, and brings the page back at a click. */
export function notify(title: string, body: string | undefined, onClick: () => void): void {
  if (!document.hidden || notifyStore.getState().notify !== 'on') return
  const notification = new Notification(title, { ...(body && { body }), tag: title })
  notification.onclick = () => {
    window.focus()
    onClick()
  }
}
