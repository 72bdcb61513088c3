import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { StudioClient, Transport } from './transport.ts'

/**
 * The serve host's line: a WebSocket beside the page, let in by the same cookie. Rejects when the host does not answer.
 */
export function openWebSocket(): Promise<Transport> {
  const { protocol, host } = window.location
  const websocket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`)
  return new Promise((resolve, reject) => {
    const closed = new Promise<void>((done) => websocket.addEventListener('close', () => done()))
    websocket.addEventListener('error', () => reject(new Error('The host does not answer.')))
    websocket.addEventListener('open', () =>
      resolve({
        client: createORPCClient<StudioClient>(new RPCLink({ websocket })),
        closed,
        close: () => websocket.close(),
      }),
    )
  })
}
