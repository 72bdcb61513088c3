import { expect, test } from 'vitest'
import { testSettings } from '#app/library/test-results.ts'
import type { LiveControls } from '#app/contract/settings.ts'
import { liveControls } from './live-controls.ts'

const freeu = { s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 }
const settings = {
  ...testSettings,
  loras: [
    { id: 'night', scale: 1 },
    { id: 'rain', scale: 0.5 },
  ],
}

test('without changes each step has the settings of the start, and nothing is remembered', () => {
  const live = liveControls({ ...settings, freeu }, () => undefined)
  for (const step of [0, 1, 2]) expect(live.at(step)).toEqual({ freeu, loraScales: { night: 1, rain: 0.5 } })
  expect(live.changes()).toEqual({ freeuChanges: [], loraChanges: [] })
})

test('a change is in force from the step that sees it; what it does not name stays', () => {
  let controls: LiveControls | undefined
  const live = liveControls(settings, () => controls)
  live.at(0)
  controls = { loraScales: { night: 0 } }
  expect(live.at(1)).toEqual({ freeu: null, loraScales: { night: 0, rain: 0.5 } })
  controls = { ...controls, freeu }
  expect(live.at(2)).toEqual({ freeu, loraScales: { night: 0, rain: 0.5 } })
  controls = { ...controls, freeu: null }
  live.at(3)
  expect(live.current()).toEqual({ freeu: null, loraScales: { night: 0, rain: 0.5 } })
  expect(live.changes()).toEqual({
    freeuChanges: [
      { step: 2, freeu },
      { step: 3, freeu: null },
    ],
    loraChanges: [{ step: 1, scales: { night: 0, rain: 0.5 } }],
  })
})

test('the changes that were kept give the same values again', () => {
  const moves: (LiveControls | undefined)[] = [
    undefined,
    { loraScales: { rain: 2 } },
    { loraScales: { rain: 2 }, freeu },
  ]
  const first = liveControls(settings, () => moves.shift())
  const seen = [0, 1, 2].map((step) => first.at(step))
  const again = liveControls({ ...settings, ...first.changes() }, () => undefined)
  expect([0, 1, 2].map((step) => again.at(step))).toEqual(seen)
  expect(again.changes()).toEqual(first.changes())
})

test('a remembered change of a LoRA that is not used any more is passed over', () => {
  const loraChanges = [{ step: 1, scales: { night: 0, gone: 2 } }]
  const live = liveControls({ ...settings, loraChanges }, () => undefined)
  expect(live.at(1).loraScales).toEqual({ night: 0, rain: 0.5 })
})
