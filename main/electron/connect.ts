import { isOwnUrl } from './origin.ts'

/** The one channel between page and host: it carries a MessagePort and nothing else. */
export const connectChannel = 'frameloom:connect'

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
