import { isPageMessage } from '#main/studio/rpc-message.ts'
import { isOwnUrl } from './origin.ts'

type Frame = { url: string; parent: unknown; processId: number; routingId: number }

/**
 * True when a message comes from the top frame of a window that we opened, while it shows our page.
 * `sender`: null when the frame is gone already. `topFrames`: of the windows that are open.
 */
export const isKnownSender = (sender: Frame | null, topFrames: readonly Frame[]): boolean =>
  sender !== null &&
  sender.parent === null &&
  topFrames.some((frame) => frame.processId === sender.processId && frame.routingId === sender.routingId) &&
  isOwnUrl(sender.url)

/** What is used of Electron's MessagePortMain. */
type Port = {
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  postMessage(message: unknown): void
  close(): void
}

/** The port as oRPC sees it: a message of another form than a page's ends the line instead of reaching it. */
export const checkedPort = (port: Port) => ({
  postMessage: (message: unknown): void => {
    port.postMessage(message)
  },
  on(event: string, listener: (event?: { data: unknown }) => void): void {
    if (event === 'close') {
      port.on('close', () => {
        listener()
      })
    } else if (event === 'message') {
      port.on('message', (message) => {
        if (isPageMessage(message.data)) listener(message)
        else port.close()
      })
    }
  },
})
