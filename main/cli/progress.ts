/** How far something is, for whoever looks at stderr; stdout is for results alone. */
export type Progress = {
  /** `progress` from 0 to 1. */
  update(stage: string, progress: number, secondsLeft?: number): void
  /** A line that stays. */
  note(line: string): void
  /** Takes the bar away. */
  end(): void
}

type Output = { write(text: string): unknown; isTTY?: boolean; columns?: number }

const eraseLine = '\r\x1b[2K'

export function timeWords(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** A bar that is drawn over itself on a terminal; elsewhere one line for each new stage. */
export function createProgress(out: Output = process.stderr): Progress {
  let drawn = false
  let last = ''

  const erase = (): void => {
    if (drawn) out.write(eraseLine)
    drawn = false
  }
  return {
    update(stage, progress, secondsLeft) {
      const left = secondsLeft === undefined ? '' : `, ${timeWords(secondsLeft)} left`
      if (out.isTTY) {
        const width = Math.max(10, Math.min(30, (out.columns ?? 80) - 45))
        const filled = Math.round(Math.min(1, Math.max(0, progress)) * width)
        const percent = String(Math.floor(progress * 100)).padStart(3)
        const line = `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${percent} %  ${stage}${left}`
        out.write(eraseLine + line.slice(0, (out.columns ?? 80) - 1))
        drawn = true
      } else if (stage !== last) out.write(`${stage}${left}\n`)
      last = stage
    },
    note(line) {
      erase()
      out.write(`${line}\n`)
    },
    end: erase,
  }
}
