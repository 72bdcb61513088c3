import type { StudioEvent } from '#app/contract/studio.ts'
import { ProblemError, problemSchema, toProblem, type Problem } from '#app/contract/errors.ts'
import type { OpenTransport, StudioClient, Transport } from './transport.ts'

export type ConnectionState = 'connecting' | 'open' | 'lost'

export type Connection = {
  /** Calls the host. Throws a ProblemError, also when there is no connection. */
  call: <T>(use: (client: StudioClient) => Promise<T>) => Promise<T>
  stop: () => void
}

const retryDelays = [250, 500, 1000, 2000, 4000]

/**
 * Keeps a line to the host open for as long as the page lives, and opens a new one when it breaks.
 * 'open' is told once the first event, a snapshot, has arrived.
 */
export function connect(
  open: OpenTransport,
  on: { event: (event: StudioEvent) => void; state: (state: ConnectionState) => void },
  delays: readonly number[] = retryDelays,
): Connection {
  let transport: Transport | undefined
  let stopped = false
  const isStopped = (): boolean => stopped

  const listen = async (line: Transport): Promise<void> => {
    const events = await line.client.events()
    let first = true
    for await (const event of events) {
      on.event(event)
      if (first) on.state('open')
      first = false
    }
  }

  const run = async (): Promise<void> => {
    for (let attempt = 0; !isStopped(); attempt++) {
      try {
        const line = await open()
        transport = line
        // A closed socket ends the stream in some transports and leaves it hanging in others.
        await Promise.race([listen(line).then(() => (attempt = 0)), line.closed.then(() => (attempt = 0))])
        line.close()
      } catch {
        transport?.close()
      }
      transport = undefined
      if (isStopped()) return
      on.state('lost')
      await new Promise((resolve) => setTimeout(resolve, delays[Math.min(attempt, delays.length - 1)]))
    }
  }
  on.state('connecting')
  void run()

  return {
    call: async (use) => {
      if (!transport) throw new ProblemError('internal', 'The studio has lost its host. It is trying to connect again.')
      try {
        return await use(transport.client)
      } catch (error) {
        const problem = hostProblem(error)
        throw new ProblemError(problem.code, problem.message, { ...problem, cause: error })
      }
    },
    stop: () => {
      stopped = true
      transport?.close()
    },
  }
}

/** The Problem in a failed call: sent by the host as data, or made from the validation that refused the input. */
function hostProblem(error: unknown): Problem {
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : undefined
  const parsed = problemSchema.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = (data as { issues?: { path?: (string | number)[]; message?: string }[] } | undefined)?.issues?.[0]
  if (issue?.message)
    return { code: 'bad-input', message: issue.message, ...(issue.path?.length && { field: issue.path.join('.') }) }
  return toProblem(error)
}
