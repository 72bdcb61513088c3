import { toFloat32 } from './convert.ts'
import type { DType, Tensor } from './tensor.ts'

/** The square of such a number is infinite in float32, and with it the first norm that is taken of it. */
const tooLarge = 2 ** 64

/** How the numbers are called that `isSound` finds, in the middle of a sentence. */
export const unsound = 'NaN, infinity or numbers beyond all use'

/** Whole numbers can always be computed with. */
export const mayBeUnsound = (dtype: DType): boolean => dtype.includes('float')

/** Whether a tensor holds numbers alone that can be computed with. */
export function isSound(tensor: Tensor): boolean {
  if (!mayBeUnsound(tensor.dtype)) return true
  const { data } = toFloat32(tensor)
  for (let i = 0; i < data.length; i++) if (!(Math.abs(data[i]!) < tooLarge)) return false // NaN is not less
  return true
}
