import { expect, it } from 'vitest'
import { landmarks, paretoFront, unbeaten, type Option } from './front.ts'

const option = (choice: string, milliseconds: number, peakBytes: number): Option<string> => ({
  choice,
  milliseconds,
  peakBytes,
})

it('the front has for each bound on the memory the fastest way to stay within it', () => {
  const layers = [
    [option('a fast', 10, 100), option('a small', 30, 20)],
    [option('b fast', 5, 60), option('b small', 6, 40)],
  ]
  const front = paretoFront(layers, { milliseconds: 1, peakBytes: 30 })
  expect(front).toEqual([
    { milliseconds: 16, peakBytes: 100, choices: ['a fast', 'b fast'] },
    { milliseconds: 36, peakBytes: 60, choices: ['a small', 'b fast'] },
    { milliseconds: 37, peakBytes: 40, choices: ['a small', 'b small'] },
  ])
})

it('nothing is below what no choice changes', () => {
  const front = paretoFront([[option('fast', 10, 100), option('small', 30, 20)]], { milliseconds: 1, peakBytes: 70 })
  expect(front.map(({ peakBytes }) => peakBytes)).toEqual([100, 70])
})

it('another way is taken for its speed only where it is clearly faster', () => {
  const choices = (other: number): readonly string[] =>
    paretoFront([[option('usual', 100, 10), option('other', other, 10)]], { milliseconds: 0, peakBytes: 0 })[0]!.choices
  expect(choices(92)).toEqual(['usual'])
  expect(choices(85)).toEqual(['other'])
})

it('what another beats or equals is left out, and the middle gives up least', () => {
  const plans = [
    { milliseconds: 10, peakBytes: 100 },
    { milliseconds: 12, peakBytes: 50 },
    { milliseconds: 12, peakBytes: 120 },
    { milliseconds: 30, peakBytes: 45 },
    { milliseconds: 50, peakBytes: 40 },
    { milliseconds: 60, peakBytes: 40 },
    { milliseconds: 70, peakBytes: 39 },
  ]
  const front = unbeaten(plans)
  expect(front).toEqual([plans[0], plans[1], plans[3], plans[4]])
  expect(landmarks(front)).toEqual({ fastest: plans[0], balanced: plans[1], least: plans[4] })
})
