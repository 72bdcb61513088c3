import type { Problem } from '#app/contract/errors.ts'

/** How an engine process ended. */
export type EngineEnd = {
  code: number | null
  signal: string | null
  /** The last lines it wrote. */
  lastLines: string[]
  /** Who ended it: itself (or the system), or the supervisor and why. */
  cause: 'itself' | 'hung' | 'start-too-slow' | 'expected'
}

const memoryWords = /bad_alloc|out of memory|heap limit|failed to allocate|ENOMEM|ERR_WORKER_OUT_OF_MEMORY/i

function reason({ cause, code, signal, lastLines }: EngineEnd): string {
  if (cause === 'hung') return 'It no longer answered and was ended.'
  if (cause === 'start-too-slow') return 'It did not get ready in time and was ended.'
  if (lastLines.some((line) => memoryWords.test(line)))
    return 'It ran out of memory. Try a smaller size, fewer frames, or a smaller memory budget in the settings.'
  if (signal === 'SIGKILL')
    return 'It was killed (SIGKILL). The system does that when memory runs out: try a smaller size or fewer frames.'
  if (signal) return `It crashed (${signal}).`
  return `It ended with exit code ${code}.`
}

/** In plain words, with the engine's own last words behind them. */
export function engineProblem(end: EngineEnd, ending: string): Problem {
  const said = end.lastLines.slice(-5).join('\n').trim()
  const message = `The engine process stopped. ${reason(end)} ${ending}${said ? `\n\nIts last output:\n${said}` : ''}`
  return { code: 'engine-lost', message }
}
