/** Counts crashes within a sliding window. */
export function createCrashLimit({ limit = 3, windowMs = 5 * 60_000, now = () => performance.now() } = {}) {
  let crashes: number[] = []
  const recent = (): number => {
    crashes = crashes.filter((at) => now() - at < windowMs)
    return crashes.length
  }
  return {
    recent,
    /** Notes a crash; true when it was one too many. */
    add(): boolean {
      crashes.push(now())
      return recent() >= limit
    },
    reset(): void {
      crashes = []
    },
  }
}
