import type { CommandId } from '#app/contract/commands.ts'
import { connect, type Connection } from '#renderer/bridge/connection.ts'
import { isElectron, openMessagePort } from '#renderer/bridge/electron.ts'
import { openWebSocket } from '#renderer/bridge/websocket.ts'
import { tell } from './toasts.ts'
import { unheard } from './notices.ts'
import { applyEvent, studioStore } from './studio.ts'

let connection: Connection | undefined

/**
 * Opens the line to whichever host this page is in, and mirrors its state from then on. `perform`: does what the
 * host's menu asks for.
 */
export function startMirror(perform: (id: CommandId) => void): void {
  connection ??= connect(isElectron() ? openMessagePort : openWebSocket, {
    event: (event) => {
      if (event.type === 'command') return perform(event.id)
      if (event.type === 'notice') return tellOnce([event.message])
      studioStore.setState((state) => applyEvent(state, event))
      if (event.type === 'snapshot') tellOnce(event.notices ?? [])
    },
    state: (state) => studioStore.setState({ connection: state }),
  })
}

function tellOnce(notices: readonly string[]): void {
  for (const notice of unheard(notices)) tell('warning', notice)
}

/** Calls the host; a failure is a ProblemError. */
export const callHost: Connection['call'] = (use) => {
  if (!connection) throw new Error('callHost before startMirror')
  return connection.call(use)
}
