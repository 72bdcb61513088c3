import type { Problem } from '#app/contract/errors.ts'

/** How an engine process ended. */
export type EngineEnd = {
  code: number | null
  signal: string | null
  /** The last lines it wrote. */
  lastLines: string[]
  /** Who ended it: itself (or the system), or the supervisor and why; or it could not be started at all. */
  cause: 'itself' | 'hung' | 'start-too-slow' | 'expected' | 'not-started'
}

const memoryWords = /bad_alloc|out of memory|heap limit|failed to allocate|ENOMEM|ERR_WORKER_OUT_OF_MEMORY/i

function reason({ cause, code, signal, lastLines }: EngineEnd): string {
  if (cause === 'hung') return 'It no longer answered and was ended.'
  if (cause === 'not-started') return notStarted(lastLines.at(-1) ?? '')
  if (cause === 'start-too-slow') return 'It did not get ready in time and was ended.'
  if (lastLines.some((line) => memoryWords.test(line)))
    return 'It ran out of memory. Try a smaller size, fewer frames, or a smaller memory budget in the settings.'
  if (signal === 'SIGKILL')
    return 'It was killed (SIGKILL). The system does that when memory runs out: try a smaller size or fewer frames.'
  if (signal) return `It crashed (${signal}).`
  return `It ended by itself, with exit code ${code}.`
}

/** Why the system did not start it, of Node's message: `spawn FILE CODE`. */
function notStarted(message: string): string {
  const [, file, code] = /^spawn (.*) ([A-Z]+)$/s.exec(message) ?? []
  const why = { ENOENT: 'there is no such file', EACCES: 'it is not a file that may be run' }[code ?? ''] ?? message
  return `It could not be started with ${file ?? 'its Node'}: ${why}. FRAMELOOM_NODE names the Node that runs it.`
}

/** In plain words, with the engine's own last words behind them. */
export function engineProblem(end: EngineEnd, ending: string): Problem {
  const said = end.lastLines.slice(-5).join('\n').trim()
  const message = `The engine process stopped. ${reason(end)} ${ending}${said ? `\n\nIts last output:\n${said}` : ''}`
  return { code: 'engine-lost', message }
}
