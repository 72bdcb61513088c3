import { expect, test } from 'vitest'
import { ORPCError } from '@orpc/client'
import type { StudioEvent } from '#app/contract/studio.ts'
import type { Problem } from '#app/contract/errors.ts'
import { connect, type ConnectionState } from './connection.ts'
import type { StudioClient, Transport } from './transport.ts'

const event = (id: string): StudioEvent => ({ type: 'result-removed', id })

/** A line to a host that tells `told` and then stays open until it is cut. */
function aLine(told: StudioEvent[], calls: Partial<StudioClient> = {}): Transport & { cut: () => void } {
  let cut = (): void => undefined
  const closed = new Promise<void>((resolve) => (cut = resolve))
  const events = async () =>
    (async function* () {
      yield* told
      await closed
    })()
  return { client: { events, ...calls } as unknown as StudioClient, closed, close: () => cut(), cut: () => cut() }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('a lost line is replaced, also when the host is away for a while', async () => {
  const first = aLine([event('a')])
  const lines = [first, new Error('away'), new Error('away'), aLine([event('b')])]
  const states: ConnectionState[] = []
  const heard: StudioEvent[] = []
  const connection = connect(
    async () => {
      const line = lines.shift()
      if (!line || line instanceof Error) throw line ?? new Error('no more')
      return line
    },
    { event: (told) => void heard.push(told), state: (state) => void states.push(state) },
    [1],
  )
  await until(() => states.includes('open'))
  first.cut()
  await until(() => heard.length === 2)
  expect(states).toEqual(['connecting', 'open', 'lost', 'lost', 'lost', 'open'])
  expect(heard).toEqual([event('a'), event('b')])
  connection.stop()
})

test("a call fails with the host's own Problem, and in words when there is no host", async () => {
  const problem: Problem = { code: 'bad-input', message: 'Width 60 is not a multiple of 8.', field: 'width' }
  const refusing = aLine([event('a')], {
    restartEngine: (async () => {
      throw new ORPCError('PROBLEM', { data: problem })
    }) as unknown as StudioClient['restartEngine'],
  })
  const states: ConnectionState[] = []
  const lines = [refusing]
  const connection = connect(
    async () => lines.shift() ?? Promise.reject(new Error('away')),
    { event: () => undefined, state: (state) => void states.push(state) },
    [1],
  )
  await until(() => states.includes('open'))
  await expect(connection.call((host) => host.restartEngine())).rejects.toMatchObject({ problem })
  refusing.cut()
  await until(() => states.includes('lost'))
  await expect(connection.call((host) => host.restartEngine())).rejects.toThrow('lost its host')
  connection.stop()
})
