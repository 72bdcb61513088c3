import { ProblemError } from '#app/contract/errors.ts'
import { insideStore } from '#app/library/inside-store.ts'
import { knock } from '#main/studio/door.ts'
import { launchFile, openBrowser } from './open-browser.ts'

export type Running = {
  dataDir: string
  /** Open the default browser. */
  open: boolean
  print: (line: string) => void
}

/**
 * Opens the studio that runs on this data folder already, in the browser. False where none answers.
 * Throws a ProblemError 'unsupported' where it has a window of its own, which comes to the front, or hangs.
 */
export async function openRunning({ dataDir, open, print }: Running): Promise<boolean> {
  const answer = await knock(dataDir)
  if (!answer) return false
  if (answer === 'silent') throw taken(dataDir, 'runs already', 'and does not answer. End it')
  if (answer.kind === 'window') throw taken(dataDir, 'is open in its window', 'which is in front now. Use it, close it')
  // The running studio removes the file, as it does its own, once the link was used.
  const opened = open && (await openBrowser(answer.url, launchFile(insideStore(dataDir, 'scratch'))))
  const runs = `Frameloom runs already with the data folder ${dataDir}, with the address and port it was started with.`
  const so = opened ? 'It opens in your browser, or open this link' : 'Open it in your browser'
  print(`${runs} ${so} (good once): ${answer.url}`)
  return true
}

const taken = (dataDir: string, how: string, so: string): ProblemError =>
  new ProblemError(
    'unsupported',
    `Frameloom ${how} with the data folder ${dataDir}, ${so}, or set FRAMELOOM_DATA to another data folder.`,
  )

/** Another process has the library: SQLITE_BUSY (sqlite.org/rescode.html). */
const isTaken = ({ cause }: Error): boolean =>
  cause instanceof Error && 'errcode' in cause && (Number(cause.errcode) & 0xff) === 5

const patience = { wholeMs: 30_000, stepMs: 250 }

/**
 * `start`, or the studio that runs on this data folder already: then undefined. Of two that are started at once, the
 * one that does not get the library waits until the other answers.
 */
export async function startOrOpenRunning<T>(running: Running, start: () => Promise<T>): Promise<T | undefined> {
  if (await openRunning(running)) return undefined
  try {
    return await start()
  } catch (error) {
    for (const until = Date.now() + patience.wholeMs; isTaken(error as Error) && Date.now() < until;) {
      if (await openRunning(running)) return undefined
      await new Promise((resolve) => setTimeout(resolve, patience.stepMs))
    }
    throw error
  }
}
