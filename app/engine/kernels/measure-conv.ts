import { GraphBuilder, type Graph } from '#app/graph/index.ts'
import { toFast } from '#app/graph/passes/fast.ts'
import type { ConvKernel, ConvShape } from '#app/graph/passes/winograd.ts'
import { openSession, type Session } from '../session.ts'
import { normalValues } from './normal-values.ts'

export const convKernels = ['direct', 'winograd2', 'winograd4'] as const satisfies readonly ConvKernel[]

/** Milliseconds of one convolution, and its largest difference to the direct one as a part of the largest output. */
export type ConvMeasurement = Readonly<Record<ConvKernel, { readonly ms: number; readonly error: number }>>

const rounds = 2

/** Runs a convolution with normal values in each kernel, in turn, and takes the best time of each: others may use the machine too. */
export async function measureConv(shape: ConvShape, threads: number): Promise<ConvMeasurement> {
  const { batch, input, output, height, width } = shape
  const inputs = {
    x: normalValues([batch, input, height, width], 1),
    weight: normalValues([output, input, 3, 3], 2),
  }
  const sessions: Session[] = []
  try {
    for (const kernel of convKernels)
      sessions.push(
        await openSession(
          toFast(convGraph(shape), () => kernel),
          { threads, prepack: false },
        ),
      )
    const best = convKernels.map(() => Infinity)
    const sample: Float32Array[] = []
    for (let round = 0; round <= rounds; round++)
      for (const [i, session] of sessions.entries()) {
        const began = performance.now()
        const { y } = await session.run(inputs)
        if (round > 0) best[i] = Math.min(best[i]!, performance.now() - began) // the first run allocates
        sample[i] = y!.data as Float32Array
      }
    const entries = convKernels.map((kernel, i) => [kernel, { ms: best[i]!, error: apart(sample[i]!, sample[0]!) }])
    return Object.fromEntries(entries) as ConvMeasurement
  } finally {
    for (const session of sessions) await session.release()
  }
}

function convGraph({ batch, input, output, height, width }: ConvShape): Graph {
  const builder = new GraphBuilder('convolution')
  const x = builder.input('x', 'float32', [batch, input, height, width])
  const weight = builder.input('weight', 'float32', [output, input, 3, 3])
  const y = builder.emit('Conv', [x, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] })
  // One image is enough to compare, and the rest need not be copied out.
  const [begin, end, axis, step] = [0, 1, 0, 1].map((value) => builder.integers([value])) as [
    typeof x,
    typeof x,
    typeof x,
    typeof x,
  ]
  builder.output('y', builder.emit('Slice', [y, begin, end, axis, step]))
  return builder.finish()
}

function apart(actual: Float32Array, expected: Float32Array): number {
  let [worst, largest] = [0, 0]
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - actual[i]!))
    largest = Math.max(largest, Math.abs(value))
  })
  return worst / largest
}
