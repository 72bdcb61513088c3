import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RPCHandler } from '@orpc/server/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import type { OpenedStudio } from '#main/studio/open-studio.ts'
import { isPageMessage } from '#main/studio/rpc-message.ts'
import type { Verdict } from './guard.ts'

/** A request is settings and ids; the longest are two prompts. */
const maxPayload = 2 ** 20
/** A page that takes nothing for so long that this is waiting is given up; it comes back and begins with a snapshot. */
const maxWaiting = 64 * 2 ** 20
const beatMs = 20_000

type Door = Pick<WebSocket, 'addEventListener' | 'send'>

/** The socket as oRPC sees it: a message of another form than a page's ends the line instead of reaching it. */
const checked = (webSocket: WebSocket): Door => ({
  send: webSocket.send.bind(webSocket),
  addEventListener: ((type: 'message' | 'close', listener: (event: unknown) => void) => {
    if (type === 'close') webSocket.addEventListener(type, listener)
    else {
      webSocket.addEventListener(type, (event) => {
        if (isPageMessage(event.data)) listener(event)
        else webSocket.close(1008, 'not a message of the studio')
      })
    }
  }) as Door['addEventListener'],
})

/** The contract over WebSocket, on the server that serves the page. Returns the way to end it. */
export function serveSocket(
  server: Server,
  studio: Pick<OpenedStudio, 'router' | 'log'>,
  judgeUpgrade: (request: IncomingMessage) => Verdict,
): () => void {
  const handler = new RPCHandler(studio.router)
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false })
  const answered = new WeakSet<WebSocket>()

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const verdict = judgeUpgrade(request)
    if (verdict.kind !== 'allow') {
      const status = verdict.kind === 'refuse' ? verdict.status : 403
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      answered.add(webSocket)
      webSocket.on('pong', () => answered.add(webSocket))
      webSocket.on('error', (error) => studio.log.warn({ error }, 'socket error'))
      void handler.upgrade(checked(webSocket), { context: {} })
    })
  })

  const beat = setInterval(() => {
    for (const webSocket of sockets.clients) {
      if (!answered.has(webSocket) || webSocket.bufferedAmount > maxWaiting) webSocket.terminate()
      else {
        answered.delete(webSocket)
        webSocket.ping()
      }
    }
  }, beatMs)
  beat.unref()

  return () => {
    clearInterval(beat)
    for (const webSocket of sockets.clients) webSocket.terminate()
    sockets.close()
  }
}
