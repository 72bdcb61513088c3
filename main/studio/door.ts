import { randomUUID } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { z } from 'zod'
import { insideStore } from '#app/library/inside-store.ts'
import type { Log } from './log.ts'

/** What the studio that has a data folder tells one that is started on the same folder. */
const answerSchema = z.discriminatedUnion('kind', [
  /** It serves a browser: a link, good once. */
  z.object({ kind: z.literal('link'), url: z.url({ protocol: /^http$/ }) }),
  /** It has a window of its own, which is in front now. */
  z.object({ kind: z.literal('window') }),
])
export type Answer = z.infer<typeof answerSchema>

const question = 'open\n'
const patienceMs = 10_000
/** Bytes; sun_path of unix(7), the shortest of the systems. A longer path is cut by some, refused by others. */
const longestPath = 103
const hasPipes = process.platform === 'win32'

/**
 * In the data folder's `scratch`, which only this user can enter (docs/decisions/start.md, "A second start opens the
 * studio that runs"). Windows has no sockets in folders: there the file names a pipe that nobody can guess.
 */
const doorFile = (dataDir: string): string => insideStore(dataDir, 'scratch', 'door.sock')

/**
 * Answers whoever starts on the same data folder. To be called by the one that has its library open. Never rejects:
 * where there can be no door, a second start is refused by the library's lock.
 * @returns the way to end it
 */
export async function openDoor(dataDir: string, log: Log, answer: () => Answer): Promise<() => void> {
  try {
    const server = await listen(doorFile(dataDir), answer)
    return () => void server.close()
  } catch (error) {
    log.warn({ error }, 'a second start cannot open this studio')
    return () => {}
  }
}

async function listen(file: string, answer: () => Answer): Promise<Server> {
  if (!hasPipes && Buffer.byteLength(file) > longestPath) throw new Error(`${file} is too long for a socket.`)
  rmSync(file, { force: true }) // of a studio that was killed: this one has the library now
  const path = hasPipes ? `\\\\.\\pipe\\frameloom-${randomUUID()}` : file
  const server = createServer((socket) => {
    socket.unref().setTimeout(patienceMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    let heard = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text
      // A pipe of Windows can be read by all users, written by its owner alone: so it is asked before it answers.
      if (heard === question) socket.end(JSON.stringify(answer()))
      else if (!question.startsWith(heard)) socket.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(path, resolve)
  })
  server.unref()
  if (hasPipes) writeFileSync(file, path)
  else chmodSync(file, 0o600)
  return server
}

/** Asks the studio that has this data folder. Undefined where there is none, `silent` where it does not answer. */
export async function knock(dataDir: string): Promise<Answer | 'silent' | undefined> {
  const line = { reached: false }
  try {
    const file = doorFile(dataDir)
    const path = hasPipes ? readFileSync(file, 'utf8') : file
    const text = await new Promise<string>((resolve, reject) => {
      let said = ''
      const socket = connect(path, () => {
        line.reached = true
        socket.write(question)
      })
      socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')))
      socket.setEncoding('utf8').on('data', (part: string) => {
        said += part
      })
      socket.on('error', reject).on('close', () => resolve(said))
    })
    return answerSchema.parse(JSON.parse(text))
  } catch {
    return line.reached ? 'silent' : undefined
  }
}
