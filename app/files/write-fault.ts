/**
 * A disk that fails on purpose, for tests of what happens then. FRAMELOOM_WRITE_FAULT is CODE:INDEX for one write of
 * this process, counted from 0, or CODE:INDEX- for that one and all that follow: `ENOSPC:5-` is a disk that is full
 * from the sixth write on. Writes are those of durable files, of the library's database and of the log.
 */
type Rule = { readonly code: string; readonly first: number; readonly last: number }

function parse(text: string | undefined): Rule | undefined {
  if (!text) return undefined
  const [, code, index, onward] = /^(E[A-Z]+):(\d+)(-?)$/.exec(text) ?? []
  if (code === undefined) throw new Error(`FRAMELOOM_WRITE_FAULT: "${text}" is not CODE:INDEX or CODE:INDEX-`)
  return { code, first: Number(index), last: onward ? Infinity : Number(index) }
}

let rule = parse(process.env['FRAMELOOM_WRITE_FAULT'])
let count = 0

/** Called before each write: throws as the system would, where that was asked for. */
export function beforeWrite(): void {
  const at = count++
  if (rule && at >= rule.first && at <= rule.last)
    throw Object.assign(new Error(`${rule.code}: fault on purpose, write`), { code: rule.code, syscall: 'write' })
}

/** Sets another rule, or none, and counts from 0 again. Returns the number of writes until now. */
export function setWriteFault(text?: string): number {
  const before = count
  rule = parse(text)
  count = 0
  return before
}
