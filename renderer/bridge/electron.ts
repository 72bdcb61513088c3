import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { StudioClient, Transport } from './transport.ts'

/** Put there by the Electron preload; its presence says which host this is. */
type PreloadDoor = { readonly host: 'electron' }

export const isElectron = (): boolean => (window as { frameloom?: PreloadDoor }).frameloom?.host === 'electron'

/**
 * A MessagePort cannot cross the preload's bridge as a value, so its other end is posted to the preload, which hands it
 * on.
 */
const portMessage = 'frameloom:connect'

export async function openMessagePort(): Promise<Transport> {
  const { port1, port2 } = new MessageChannel()
  const closed = new Promise<void>((done) => port1.addEventListener('close', () => done()))
  const client = createORPCClient<StudioClient>(new RPCLink({ port: port1 }))
  port1.start()
  window.postMessage(portMessage, window.location.origin, [port2])
  return { client, closed, close: () => port1.close() }
}
