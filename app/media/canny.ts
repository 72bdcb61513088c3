import type { RgbFrame } from './frame.ts'

/** tan 22.5 degrees in 15 bits, as OpenCV rounds it. */
const tan22 = 13573

/**
 * Edges of a picture, white on black: where the brightness of a channel changes most across its direction, and by more
 * than `high`, or by more than `low` beside such a pixel. Source: Canny, "A Computational Approach to Edge Detection",
 * IEEE PAMI 8(6), 1986; numbers as OpenCV's Canny with a 3x3 Sobel and |dx| + |dy| (modules/imgproc/src/canny.cpp), and
 * the thresholds that ControlNet's edges were trained with.
 */
export function canny(frame: RgbFrame, { low = 100, high = 200 } = {}): RgbFrame {
  const { width, height } = frame
  const { dx, dy, size } = gradients(frame)
  const edges = new Uint8Array(width * height)
  const strong: number[] = []
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if (size[at]! <= low || !isRidge(x, y)) continue
      edges[at] = 1
      if (size[at]! > high) strong.push(at)
    }

  const seen = new Uint8Array(width * height)
  for (let at = strong.pop(); at !== undefined; at = strong.pop()) {
    if (seen[at]) continue
    seen[at] = 1
    const [x, y] = [at % width, Math.floor(at / width)]
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++)
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const next = ny * width + nx
        if (edges[next] && !seen[next]) strong.push(next)
      }
  }
  const data = new Uint8Array(width * height * 3)
  for (let at = 0; at < seen.length; at++) if (seen[at]) data.fill(255, at * 3, at * 3 + 3)
  return { width, height, data }

  /** Nothing is beyond the border. */
  function sizeAt(x: number, y: number): number {
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : size[y * width + x]!
  }

  /** Larger than both neighbours in the direction of the change. */
  function isRidge(x: number, y: number): boolean {
    const at = y * width + x
    const [own, across, down] = [size[at]!, Math.abs(dx[at]!), Math.abs(dy[at]!) * 2 ** 15]
    const flat = across * tan22
    if (down < flat) return own > sizeAt(x - 1, y) && own >= sizeAt(x + 1, y)
    if (down > flat + across * 2 ** 16) return own > sizeAt(x, y - 1) && own >= sizeAt(x, y + 1)
    const side = dx[at]! < 0 === dy[at]! < 0 ? 1 : -1
    return own > sizeAt(x - side, y - 1) && own > sizeAt(x + side, y + 1)
  }
}

/** Sobel's derivatives of the channel that changes most at each pixel, and |dx| + |dy|; the border repeats. */
function gradients({ width, height, data }: RgbFrame): { dx: Int16Array; dy: Int16Array; size: Int16Array } {
  const [dx, dy, size] = [
    new Int16Array(width * height),
    new Int16Array(width * height),
    new Int16Array(width * height).fill(-1),
  ]
  for (let y = 0; y < height; y++) {
    const rows = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((row) => row * width)
    for (let x = 0; x < width; x++) {
      const columns = [Math.max(0, x - 1), x, Math.min(width - 1, x + 1)]
      const at = y * width + x
      for (let c = 0; c < 3; c++) {
        const pixel = (row: number, column: number): number => data[(rows[row]! + columns[column]!) * 3 + c]!
        const across = pixel(0, 2) + 2 * pixel(1, 2) + pixel(2, 2) - pixel(0, 0) - 2 * pixel(1, 0) - pixel(2, 0)
        const down = pixel(2, 0) + 2 * pixel(2, 1) + pixel(2, 2) - pixel(0, 0) - 2 * pixel(0, 1) - pixel(0, 2)
        const change = Math.abs(across) + Math.abs(down)
        if (change <= size[at]!) continue
        dx[at] = across
        dy[at] = down
        size[at] = change
      }
    }
  }
  return { dx, dy, size }
}
