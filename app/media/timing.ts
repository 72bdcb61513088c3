/**
 * Whole time units for each frame whose sum stays right: at 30 fps in milliseconds 33, 34, 33, ...
 * A frame takes at least 1 unit. `unitsPerSecond`: 1000 for WebP, 100 for GIF.
 */
export function frameDurations(frames: number, fps: number, unitsPerSecond: number): number[] {
  const edge = (i: number) => Math.round((i * unitsPerSecond) / fps)
  return Array.from({ length: frames }, (_, i) => Math.max(1, edge(i + 1) - edge(i)))
}

/**
 * Frames a second from each frame's milliseconds; browsers show what says 10 ms or less for 100 ms, so that counts
 * as 100. Delays that frameDurations makes for a whole rate give back that rate: 33, 34, 33 ms is 30.
 */
export function fpsOfDelays(milliseconds: readonly number[]): number {
  const delays = milliseconds.map((delay) => (delay <= 10 ? 100 : delay))
  const total = delays.reduce((sum, delay) => sum + delay, 0)
  if (total <= 0) return 10
  const fps = (delays.length * 1000) / total
  const madeFor = (unit: number) =>
    frameDurations(delays.length, Math.round(fps), 1000 / unit).every((duration, i) => duration * unit === delays[i])
  return fps >= 1 && (madeFor(1) || madeFor(10)) ? Math.round(fps) : Math.round(fps * 1000) / 1000
}
