import { expect, test } from 'vitest'
import { formatOf } from './generate.ts'

test('the ending of --out says the format, and no ending a folder of PNG files', () => {
  expect(['a.MP4', 'b.webm', 'c.gif', 'd.webp', 'folder'].map(formatOf)).toEqual(['mp4', 'webm', 'gif', 'webp', 'png'])
  expect(() => formatOf('clip.avi')).toThrow('use .mp4, .webm, .gif or .webp, or the name of a folder')
})
