import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import type { ProfileShape } from '#app/contract/profile.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { attentionCandidates } from './candidates.ts'
import { formsOf, type Forms } from './forms.ts'
import { openSubject } from './subject.ts'
import { unitsOf } from './units.ts'

const demo = resolve('resources/demo-models')

async function forms(shape: Partial<ProfileShape>): Promise<Forms> {
  const { model, call } = await openSubject(
    new SessionCache(),
    join(demo, 'moving-shapes'),
    join(demo, 'moving-shapes-motion'),
    { width: 64, height: 64, numFrames: 8, batch: 2, compute: defaultCompute, ...shape },
  )
  const map = model.attnProcessors
  const lower: Parameters<typeof formsOf>[3] = async (layers, forwardChunking) =>
    (await model.lowered(call, defaultCompute, { processors: { default: null, layers }, forwardChunking })).graph
  const usual = await lower(attentionCandidates(map)[0]!, null)
  return formsOf(usual, unitsOf(usual, map), map, lower)
}

describe('the ways that are measured', () => {
  it('cut every feed-forward layer into chunks that fit it', async () => {
    const { chunkings } = await forms({})
    expect(chunkings.map(({ chunking }) => chunking)).toEqual([
      null,
      { chunkSize: 16, dim: 0 },
      { chunkSize: 8, dim: 1 },
      { chunkSize: 2, dim: 1 },
    ])
    for (const { forms } of chunkings) expect(forms.size).toBe(11)
  })

  it('slice no attention where something else takes as much memory', async () => {
    const { attention, elsewhere } = await forms({ width: 256, height: 256, numFrames: 2 })
    const ways = [...attention.values()]
    expect(ways.some(([usual]) => usual!.peakBytes < elsewhere)).toBe(true)
    expect(ways.every(({ length }) => length === 2)).toBe(true)
    expect(ways.flat().map(({ choice }) => choice.processor?.processor)).not.toContain('SlicedAttnProcessor')
  })
})
