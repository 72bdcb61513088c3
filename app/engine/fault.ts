import { ProblemError } from '#app/contract/errors.ts'

/**
 * Faults on purpose, for tests of what happens then. FRAMELOOM_FAULT holds rules ACTION:POINT[:INDEX[:MS]], separated
 * by commas; without it nothing here does anything. `kill:step:3` ends the process at step 3, `sleep:doctor:0:2000`
 * blocks the worker for 2 s. Points are the methods' names (at the start of a call), event types (with the step or
 * frame as index), `start` and `ping`.
 */
const actions = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  abort: () => process.kill(process.pid, 'SIGABRT'),
  exit: () => process.exit(7),
  throw: (point: string) => {
    throw new ProblemError('internal', `Fault on purpose at ${point}.`)
  },
  /** An error that no one catches. */
  crash: (point: string) => {
    setImmediate(() => {
      throw new Error(`Crash on purpose at ${point}.`)
    })
  },
  /** Blocks the thread, as a long model call does. */
  sleep: (_point: string, ms: number) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
}

type Rule = { action: keyof typeof actions; point: string; index: number | undefined; ms: number }

export function parseFaults(text: string | undefined): Rule[] {
  if (!text) return []
  return text.split(',').map((rule) => {
    const [action, point, index, ms] = rule.split(':')
    if (!action || !(action in actions) || !point) throw new Error(`FRAMELOOM_FAULT: "${rule}" is not ACTION:POINT`)
    return {
      action: action as Rule['action'],
      point,
      index: index ? Number(index) : undefined,
      ms: ms ? Number(ms) : Infinity,
    }
  })
}

const rules = parseFaults(process.env['FRAMELOOM_FAULT'])

export function faultPoint(point: string, index = 0): void {
  for (const rule of rules)
    if (rule.point === point && (rule.index ?? index) === index) actions[rule.action](point, rule.ms)
}
