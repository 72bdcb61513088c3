import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readRecipe, writeRecipe } from './recipe-metadata.ts'
import { webpAnimation } from './webp-animation.ts'

const recipe = JSON.stringify({
  prompt: 'a "red" star & <b>café</b> 東京 ✨ \n',
  seed: 2 ** 53,
  more: 'ü'.repeat(3000),
})

const picture = (color: string) => sharp({ create: { width: 12, height: 9, channels: 3, background: color } })
const stills = await Promise.all(['#f00', '#0f0'].map((color) => picture(color).webp({ lossless: true }).toBuffer()))
const files = {
  png: await picture('#123').png().toBuffer(),
  gif: await picture('#123').gif().toBuffer(),
  'still lossless webp': stills[0]!,
  'still lossy webp': await picture('#123').webp().toBuffer(),
  'webp with XMP': await picture('#123').webp().withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>').toBuffer(),
  'animated webp': webpAnimation(stills, 8),
}

describe('a recipe', () => {
  for (const [name, file] of Object.entries(files))
    it(`goes into a ${name}, which stays what it was, and comes back`, async () => {
      expect(readRecipe(file)).toBeUndefined()
      const written = writeRecipe(file, recipe)
      expect(readRecipe(written)).toBe(recipe)
      const pixels = (bytes: Uint8Array) => sharp(bytes, { animated: true }).raw().toBuffer()
      expect(await pixels(written)).toEqual(await pixels(file))
      const again = writeRecipe(written, '{"seed":1}')
      expect(readRecipe(again)).toBe('{"seed":1}')
      expect(again.length).toBeLessThan(written.length)
    })

  it('comes back whatever it says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 700 }),
        fc.constantFrom(...Object.values(files)),
        (text, file) => {
          const json = JSON.stringify({ text })
          expect(readRecipe(writeRecipe(file, json))).toBe(json)
        },
      ),
      { numRuns: 300, seed: 4 },
    )
  })

  it('is a JSON object, and not huge', () => {
    expect(() => writeRecipe(files.png, 'hello')).toThrow('not a JSON object')
    expect(() => writeRecipe(files.png, '[1]')).toThrow('not a JSON object')
    expect(() => writeRecipe(files.png, JSON.stringify({ text: 'x'.repeat(2 ** 20) }))).toThrow('fit into a file')
    expect(() => writeRecipe(new TextEncoder().encode('text'), '{}')).toThrow('cannot be put into')
  })

  it('is found in XMP that another tool has rewritten', async () => {
    const rdf = (inner: string) =>
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description ${inner}/></rdf:RDF></x:xmpmeta>`
    const xmp = rdf('xmlns:frameloom="urn:frameloom:recipe:1" frameloom:recipe="{&#34;a&#x22;:&quot;&lt;&quot;}"')
    expect(readRecipe(await picture('#123').webp().withXmp(xmp).toBuffer())).toBe('{"a":"<"}')
  })
})

describe('hostile bytes', () => {
  it('never make the reader throw, hang or invent a recipe', () => {
    const written = Object.values(files).map((file) => writeRecipe(file, '{"seed":1}'))
    fc.assert(
      fc.property(
        fc.constantFrom(...written),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff)), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (file, changes, keep) => {
          const bytes = Uint8Array.from(file.subarray(0, Math.ceil(file.length * keep)))
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
          const found = readRecipe(bytes)
          if (found !== undefined) expect(typeof JSON.parse(found)).toBe('object')
        },
      ),
      { numRuns: 5000, seed: 9 },
    )
  })

  it('lengths that lie end the search', () => {
    const png = Uint8Array.from(files.png)
    png.set([0xff, 0xff, 0xff, 0xff], 8)
    expect(readRecipe(png)).toBeUndefined()
    expect(readRecipe(Uint8Array.from(files.gif.subarray(0, 11)))).toBeUndefined()
    const webp = Uint8Array.from(files['animated webp'])
    webp.set([0xff, 0xff, 0xff, 0xff], 16)
    expect(readRecipe(webp)).toBeUndefined()
  })
})
