import { createStore, useStore } from 'zustand'

/** Playback of whatever is on the stage. One player: switching clips keeps speed, loop and zoom. */
export type PlayerState = {
  playing: boolean
  frame: number
  count: number
  fps: number
  speed: number
  loop: boolean
  /** 'fit', or screen pixels per clip pixel. */
  zoom: 'fit' | number
  /** Enlarged clips are shown with hard pixels, or smoothed. */
  smooth: boolean
}
export const speeds = [0.25, 0.5, 1, 1.5, 2] as const
export const zooms = [1, 2, 4, 8] as const

export const playerStore = createStore<PlayerState>(() => ({
  playing: true,
  frame: 0,
  count: 0,
  fps: 8,
  speed: 1,
  loop: true,
  zoom: 'fit',
  smooth: true,
}))
export const usePlayer = <T>(select: (state: PlayerState) => T): T => useStore(playerStore, select)

export const togglePlaying = (): void =>
  playerStore.setState(({ playing, frame, count, loop }) => ({
    playing: !playing,
    // Playing again from the end of a clip that does not loop starts over.
    ...(!playing && !loop && frame >= count - 1 && { frame: 0 }),
  }))

export const seek = (frame: number): void =>
  playerStore.setState(({ count }) => ({ frame: Math.max(0, Math.min(count - 1, frame)), playing: false }))

export const stepFrame = (by: number): void =>
  playerStore.setState(({ frame, count }) => ({ frame: count ? (frame + by + count) % count : 0, playing: false }))

export const advance = ({ frame, count, loop }: PlayerState): Partial<PlayerState> =>
  frame + 1 < count ? { frame: frame + 1 } : loop ? { frame: 0 } : { playing: false }

/** Runs the clock while something is on the stage. @returns a function that stops it */
export function startClock(): () => void {
  let last = performance.now()
  let due = 0
  let handle = requestAnimationFrame(function tick(now) {
    const state = playerStore.getState()
    // A tab that was in the background does not catch up.
    due += Math.min(now - last, 250)
    last = now
    const period = 1000 / (state.fps * state.speed)
    if (!state.playing || state.count < 2) due = 0
    else if (due >= period) {
      due %= period
      playerStore.setState(advance(state))
    }
    handle = requestAnimationFrame(tick)
  })
  return () => cancelAnimationFrame(handle)
}
