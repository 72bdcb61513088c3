import { expect, test } from 'vitest'
import { fitPicture, pictureTensor } from './fit-picture.ts'

/** Each pixel says where it was: red its column, green its row. */
const placed = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return [pixel % width, Math.floor(pixel / width), 7][i % 3]!
  }),
})
const corner = ({ width, data }: { width: number; data: Uint8Array }, x: number, y: number) =>
  Array.from(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3))

test('crop keeps the middle in its own shape, and default takes all of it', () => {
  const wide = placed(24, 8)
  const cut = fitPicture(wide, 8, 8, 'crop')
  expect([cut.width, cut.height]).toEqual([8, 8])
  expect([corner(cut, 0, 0), corner(cut, 7, 7)]).toEqual([
    [8, 0, 7],
    [15, 7, 7],
  ])
  const tall = fitPicture(placed(8, 25), 8, 8, 'crop')
  expect([corner(tall, 0, 0), corner(tall, 7, 7)]).toEqual([
    [0, 8, 7],
    [7, 15, 7],
  ])
  const drawn = fitPicture(wide, 8, 8, 'default')
  expect(corner(drawn, 7, 0)[0]).toBeGreaterThan(20)
})

test('a picture of the size is left as it is, and one that is smaller is made larger', () => {
  const picture = placed(8, 8)
  expect(fitPicture(picture, 8, 8, 'crop').data).toEqual(picture.data)
  const large = fitPicture(picture, 24, 16, 'crop')
  expect([large.width, large.height, large.data.length]).toEqual([24, 16, 24 * 16 * 3])
})

test('an autoencoder gets planes in -1..1', () => {
  const { shape, data } = pictureTensor({ width: 2, height: 1, data: Uint8Array.of(0, 255, 51, 255, 0, 204) })
  expect(shape).toEqual([1, 3, 1, 2])
  const expected = [-1, 1, 1, -1, -0.6, 0.6]
  expect(Array.from(data).map((value, i) => Math.abs(value - expected[i]!) < 1e-6)).not.toContain(false)
})
