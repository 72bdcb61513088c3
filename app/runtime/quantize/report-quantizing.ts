import type { OnQuantizing } from './quantize-cache.ts'

const intervalMs = 500

/** Tells the host how far the weights are, and stops at a cancel. `progress` of the whole call stays meanwhile. */
export function reportQuantizing(
  { stage, checkCancelled }: { stage: (stage: string, progress: number) => void; checkCancelled: () => void },
  progress: number,
): OnQuantizing {
  let nextAt = 0
  return (share) => {
    checkCancelled()
    if (share === 1) stage('Running the model', progress)
    else if (performance.now() >= nextAt) {
      nextAt = performance.now() + intervalMs
      stage(`Quantising weights, once: ${Math.floor(share * 100)} %`, progress)
    }
  }
}
