import { GraphBuilder, runPasses, slice, type Graph } from '#app/graph/index.ts'
import { convShape, type ConvKernel, type ConvShape } from '#app/graph/passes/winograd.ts'
import { isCandidate, kernelByRule } from './conv-rule.ts'
import { exactly, fastPasses } from '#app/graph/targets.ts'
import type { KernelFamily } from './kernels.ts'
import { measure } from './measure.ts'
import { normalValues } from './normal-values.ts'

/** 3x3 convolutions: the plain sum, or Winograd's filtering with tiles of 2 or 4. */
export const convolution: KernelFamily<ConvShape, ConvKernel> = {
  kernels: ['direct', 'winograd2', 'winograd4'],
  shapeOf(node) {
    const shape = convShape(node)
    return shape && isCandidate(shape) ? shape : undefined
  },
  keyOf: ({ batch, input, output, height, width }) => `conv3x3 ${batch}x${input}x${height}x${width} to ${output}`,
  flops: ({ batch, input, output, height, width }) => 18 * batch * input * output * height * width,
  byRule: kernelByRule,
  async measure(shape, threads) {
    const { batch, input, output, height, width } = shape
    const graphs = await Promise.all(
      this.kernels.map(async (kernel) => [
        kernel,
        await runPasses(
          convGraph(shape),
          fastPasses(() => ({ ...exactly, convolution: () => kernel })),
        ),
      ]),
    )
    const inputs = {
      x: normalValues([batch, input, height, width], 1),
      weight: normalValues([output, input, 3, 3], 2),
    }
    return measure(Object.fromEntries(graphs) as Record<ConvKernel, Graph>, inputs, threads)
  },
}

function convGraph({ batch, input, output, height, width }: ConvShape): Graph {
  const builder = new GraphBuilder('convolution')
  const x = builder.input('x', 'float32', [batch, input, height, width])
  const weight = builder.input('weight', 'float32', [output, input, 3, 3])
  const y = builder.emit('Conv', [x, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] })
  builder.output('y', slice(y, 0, 0, 1)) // one image is enough to compare, and the rest need not be copied out
  return builder.finish()
}
