import { ProblemError } from '#app/contract/errors.ts'

/**
 * The sizes that PixArt was trained at, for a model of 1024 pixels: the ratio of height to width as it is called, and
 * height and width. Those for 256, 512 and 2048 pixels are the same times a quarter, a half and 2.
 * Source: pipeline_pixart_alpha.py and pipeline_pixart_sigma.py@58eb52c ASPECT_RATIO_1024_BIN and the others.
 */
const bins: readonly (readonly [ratio: number, height: number, width: number])[] = [
  [0.25, 512, 2048],
  [0.28, 512, 1856],
  [0.32, 576, 1792],
  [0.33, 576, 1728],
  [0.35, 576, 1664],
  [0.4, 640, 1600],
  [0.42, 640, 1536],
  [0.48, 704, 1472],
  [0.5, 704, 1408],
  [0.52, 704, 1344],
  [0.57, 768, 1344],
  [0.6, 768, 1280],
  [0.68, 832, 1216],
  [0.72, 832, 1152],
  [0.78, 896, 1152],
  [0.82, 896, 1088],
  [0.88, 960, 1088],
  [0.94, 960, 1024],
  [1, 1024, 1024],
  [1.07, 1024, 960],
  [1.13, 1088, 960],
  [1.21, 1088, 896],
  [1.29, 1152, 896],
  [1.38, 1152, 832],
  [1.46, 1216, 832],
  [1.67, 1280, 768],
  [1.75, 1344, 768],
  [2, 1408, 704],
  [2.09, 1472, 704],
  [2.4, 1536, 640],
  [2.5, 1600, 640],
  [3, 1728, 576],
  [4, 2048, 512],
]

/** What the table for 2048 pixels has beside these, as for 1024. */
const ofLargest: typeof bins = [
  [0.26, 512, 1984],
  [0.27, 512, 1920],
  [2.89, 1664, 576],
  [3.11, 1792, 576],
  [3.62, 1856, 512],
  [3.75, 1920, 512],
  [3.88, 1984, 512],
]

export type Size = { readonly width: number; readonly height: number }

const scales: Readonly<Record<number, number>> = { 32: 1 / 4, 64: 1 / 2, 128: 1, 256: 2 }

/**
 * The trained size whose ratio is nearest; of two the narrower ratio. `sampleSize` is the side of the latents that the
 * model was trained for, of which 256 is PixArt-Sigma's alone. Throws bad-input for one that there is no table of.
 */
export function binFor({ width, height }: Size, sampleSize: number, family: 'alpha' | 'sigma'): Size {
  const scale = scales[sampleSize]
  if (scale === undefined || (sampleSize === 256 && family === 'alpha'))
    throw new ProblemError(
      'bad-input',
      `There are no resolution bins for this model, whose sample_size is ${sampleSize}: switch resolution binning off.`,
      { field: 'useResolutionBinning' },
    )
  const table = sampleSize === 256 ? [...bins, ...ofLargest].sort(([a], [b]) => a - b) : bins
  const away = ([ratio]: (typeof bins)[number]): number => Math.abs(ratio - height / width)
  const nearest = table.reduce((best, bin) => (away(bin) < away(best) ? bin : best))
  return { height: nearest[1] * scale, width: nearest[2] * scale }
}
