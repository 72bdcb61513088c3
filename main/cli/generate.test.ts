import { expect, test } from 'vitest'
import { formatOf } from './generate.ts'

test('the ending of --out says the format, and no ending a folder of PNG files', () => {
  expect(['a.MP4', 'b.webm', 'c.gif', 'd.webp', 'folder'].map((out) => formatOf(out, 'clip'))).toEqual([
    'mp4',
    'webm',
    'gif',
    'webp',
    'png',
  ])
  expect(() => formatOf('clip.avi', 'clip')).toThrow('use .mp4, .webm, .gif or .webp, or the name of a folder')
})

test('a still is one file, lossless', () => {
  expect(['a.PNG', 'b.webp'].map((out) => formatOf(out, 'still'))).toEqual(['png', 'webp'])
  for (const out of ['clip.mp4', 'folder', 'a.jpg'])
    expect(() => formatOf(out, 'still')).toThrow('a still is written as .png or .webp')
})
