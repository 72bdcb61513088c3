import type { Pixels } from '#app/contract/engine.ts'

/** Jobs whose last preview stays in memory. */
const kept = 4

/** The newest preview of each of the last few jobs. */
export function createPreviews() {
  const previews = new Map<string, Pixels>()
  return {
    get: (jobId: string): Pixels | undefined => previews.get(jobId),
    put(jobId: string, pixels: Pixels): void {
      previews.delete(jobId)
      previews.set(jobId, pixels)
      const [oldest] = previews.keys()
      if (previews.size > kept && oldest !== undefined) previews.delete(oldest)
    },
    remove: (jobId: string): void => void previews.delete(jobId),
  }
}
export type Previews = ReturnType<typeof createPreviews>
