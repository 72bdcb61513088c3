import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resamplingByNumber, resize } from './resize.ts'

type Case = Record<'width' | 'height' | 'outWidth' | 'outHeight' | 'resample', number> & {
  input: string
  output: string
}

// Made with Pillow 13: noise, hard edges, up and down, one axis only, every filter, both orders of the passes.
const cases = JSON.parse(
  readFileSync(new URL('../../e2e/goldens/media/pil-resize.json', import.meta.url), 'utf8'),
) as Case[]

describe('resize', () => {
  for (const c of cases)
    it(`is Pillow's ${resamplingByNumber[c.resample]!} from ${c.width}x${c.height} to ${c.outWidth}x${c.outHeight}`, () => {
      const frame = { width: c.width, height: c.height, data: new Uint8Array(Buffer.from(c.input, 'base64')) }
      const out = resize(frame, c.outWidth, c.outHeight, resamplingByNumber[c.resample]!)
      expect([out.width, out.height]).toEqual([c.outWidth, c.outHeight])
      expect(Buffer.from(out.data).toString('base64')).toBe(c.output)
    })

  it('covers every case', () => expect(cases).toHaveLength(17))
})
