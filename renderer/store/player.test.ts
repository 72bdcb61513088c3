import { beforeEach, expect, test } from 'vitest'
import { advance, playerStore, seek, stepFrame, togglePlaying } from './player.ts'

const state = () => playerStore.getState()
beforeEach(() => playerStore.setState({ ...playerStore.getInitialState(), count: 3 }))

test('plays round and round, or stops at the last frame', () => {
  playerStore.setState({ frame: 2 })
  expect(advance(state())).toEqual({ frame: 0 })
  playerStore.setState({ loop: false })
  expect(advance(state())).toEqual({ playing: false })
})

test('play at the end of a clip that does not loop starts over', () => {
  playerStore.setState({ frame: 2, loop: false, playing: false })
  togglePlaying()
  expect(state()).toMatchObject({ playing: true, frame: 0 })
})

test('looking at single frames pauses, steps go round, and seeking stays inside the clip', () => {
  stepFrame(-1)
  expect(state()).toMatchObject({ frame: 2, playing: false })
  seek(99)
  expect(state().frame).toBe(2)
  seek(-1)
  expect(state().frame).toBe(0)
})
