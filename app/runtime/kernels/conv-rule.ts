import type { ConvKernel, ConvShape } from '#app/graph/passes/winograd.ts'

/** With fewer channels the transforms cost more than they save. */
const fewestChannels = 96
/**
 * With fewer tiles reading the transformed weights, which are 1.8 and 4 times as large, takes longer than the products.
 */
const fewestTiles = 64

/** Whether Winograd's filtering may pay at all. */
export const isCandidate = ({ input, output }: ConvShape): boolean => Math.min(input, output) >= fewestChannels

/** The kernel of a convolution that was not measured on this machine. */
export function kernelByRule(shape: ConvShape): ConvKernel {
  if (!isCandidate(shape)) return 'direct'
  const tiles = (side: number): number => shape.batch * Math.ceil(shape.height / side) * Math.ceil(shape.width / side)
  if (tiles(4) >= fewestTiles) return 'winograd4'
  return tiles(2) >= fewestTiles ? 'winograd2' : 'direct'
}
