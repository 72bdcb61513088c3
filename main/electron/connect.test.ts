import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { ContractRouterClient } from '@orpc/contract'
import { implement } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CommandId } from '#app/contract/commands.ts'
import { studioContract } from '#app/contract/studio.ts'
import { createEventHub } from '#main/studio/event-hub.ts'
import { hostileMessages } from '#main/studio/testing.ts'
import { checkedPort, isKnownSender } from './connect.ts'

/** Electron's port in shape: its listeners get an event with data. */
const likeElectrons = (port: MessagePort): Parameters<typeof checkedPort>[0] => ({
  on: (event: 'message' | 'close', listener: (event: { data: unknown }) => void) =>
    event === 'message'
      ? port.on('message', (data: unknown) => {
          listener({ data })
        })
      : port.on('close', listener as () => void),
  postMessage: (message) => {
    port.postMessage(message)
  },
  close: () => {
    port.close()
  },
})

const hub = createEventHub(() => ({ type: 'result-removed', id: 'first' }))
const router = {
  doctor: implement(studioContract).doctor.handler(() => ({ checks: [] })),
  events: implement(studioContract).events.handler(({ signal }) => hub.subscribe(signal)),
}
let page: MessagePort
let host: MessagePort
beforeEach(() => {
  const channel = new MessageChannel()
  page = channel.port1
  host = channel.port2
  new RPCHandler(router).upgrade(checkedPort(likeElectrons(host)), { context: {} })
})
afterEach(() => {
  page.close()
})

test('a call goes through the port', async () => {
  const port = page as unknown as globalThis.MessagePort
  const client = createORPCClient<Pick<ContractRouterClient<typeof studioContract>, 'doctor'>>(new RPCLink({ port }))
  expect(await client.doctor()).toEqual({ checks: [] })
})

test('what the menu chooses goes to the page through the same port, and only as an id of the table', async () => {
  const port = page as unknown as globalThis.MessagePort
  const client = createORPCClient<Pick<ContractRouterClient<typeof studioContract>, 'events'>>(new RPCLink({ port }))
  const events = await client.events()
  await events.next()
  hub.publish({ type: 'command', id: 'run' })
  expect((await events.next()).value).toEqual({ type: 'command', id: 'run' })
  hub.publish({ type: 'command', id: 'quit' as CommandId })
  await expect(events.next()).rejects.toThrow()
})

test.each([...hostileMessages, { i: '1', p: { u: '/doctor' } }, 7, null, new Uint8Array([1, 2])])(
  '%j ends the line',
  async (message) => {
    const closed = new Promise((resolve) => page.on('close', resolve))
    page.postMessage(message)
    await closed
  },
)

test('only the top frame of an open window that shows our page is listened to', () => {
  const top = { url: 'studio://app/', parent: null, processId: 4, routingId: 1 }
  expect(isKnownSender({ ...top }, [top])).toBe(true)
  expect(isKnownSender(null, [top])).toBe(false)
  expect(isKnownSender(top, [])).toBe(false)
  expect(isKnownSender({ ...top, parent: top }, [top])).toBe(false)
  expect(isKnownSender({ ...top, routingId: 2 }, [top])).toBe(false)
  expect(isKnownSender({ ...top, processId: 5 }, [top])).toBe(false)
  for (const url of ['https://app/', 'studio://other/', 'studio://app.evil/', 'about:blank', 'file:///app', '']) {
    expect(isKnownSender({ ...top, url }, [top]), url).toBe(false)
  }
})
