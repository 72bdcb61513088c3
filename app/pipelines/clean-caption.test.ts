import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cleanCaption, plainCaption } from './clean-caption.ts'

// What diffusers 0.42's PixArtAlphaPipeline makes of them, with beautifulsoup4 4.15 and ftfy 6.3.
const captions = JSON.parse(readFileSync(new URL('captions.json', import.meta.url), 'utf8')) as {
  text: string
  cleaned: string
}[]

it.each(captions)('cleans $text as the reference', ({ text, cleaned }) => {
  expect(cleanCaption(text)).toBe(cleaned)
})

it('only lowers and strips what is not to be cleaned, white space as Python has it', () => {
  expect(plainCaption('\x1c A <b>Star</b>\u3000\x85')).toBe('a <b>star</b>')
})
