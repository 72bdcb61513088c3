/** The most of a step's time that its preview may take. */
const mostShare = 0.03

/** Sides of pictures, as parts of the run's own. */
const shrinks = [1, 2, 4] as const
type PreviewPlan = { readonly shrink: (typeof shrinks)[number]; readonly every: number }

/**
 * How steps of `stepMs` are shown by a decoder that takes `pictureMs` for one picture of the run's size: all `count` of
 * them, as large as the share allows; where even the smallest take more, these at some steps only.
 */
export function previewPlan(pictureMs: number, count: number, stepMs: number): PreviewPlan {
  const allowed = mostShare * stepMs
  const costOf = (shrink: number): number => (pictureMs * count) / shrink ** 2
  const shrink = shrinks.find((one) => costOf(one) <= allowed)
  return shrink ? { shrink, every: 1 } : { shrink: 4, every: Math.ceil(costOf(4) / allowed) }
}
