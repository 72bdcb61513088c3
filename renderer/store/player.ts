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

/** Whoever asked the system for less motion starts playing by hand. */
export const wantsStillness = (): boolean =>
  typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches

export const playerStore = createStore<PlayerState>(() => ({
  playing: !wantsStillness(),
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

/** The next of the menu's speeds. */
export const shiftSpeed = (by: 1 | -1): void =>
  playerStore.setState(({ speed }) => ({ speed: speeds[speeds.findIndex((one) => one === speed) + by] ?? speed }))

/** The next of the menu's sizes; before the first of them stands the one that fits. */
export const shiftZoom = (by: 1 | -1): void =>
  playerStore.setState(({ zoom }) => {
    const all = ['fit', ...zooms] as const
    return { zoom: all[all.findIndex((one) => one === zoom) + by] ?? zoom }
  })

/** Runs the clock while something is on the stage. @returns a function that stops it */
export function startClock(): () => void {
  let last = performance.now()
  let due = 0
  let handle = requestAnimationFrame(function tick(now) {
    // First, so that whoever cannot draw a frame does not stop the clock.
    handle = requestAnimationFrame(tick)
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
  })
  return () => cancelAnimationFrame(handle)
}
