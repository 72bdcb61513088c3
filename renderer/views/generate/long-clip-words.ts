import type { LongClipKind } from '#app/contract/long-clips.ts'

export const longClipLabels: Readonly<Record<LongClipKind, string>> = {
  uniform: 'Windows that move',
  overlapped: 'Windows that stay',
  looped: 'Closed loop',
  freenoise: 'FreeNoise',
}
