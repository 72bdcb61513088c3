import { expect, it } from 'vitest'
import { openSession } from '#app/runtime/session.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { activation } from './activations.ts'
import { GraphBuilder, optimize } from './index.ts'

const x = [-12, -3.5, -1, -0.2, 0, 0.3, 0.9, 2.5, 7, 12]
const gelu = [0, -0.0008143, -0.1586553, -0.0841481, 0, 0.1853734, 0.7343459, 2.4844759, 7, 12]
const geluTanh = [0, -0.0006161, -0.158808, -0.0841486, 0, 0.1853709, 0.7342285, 2.4849157, 7, 12]
const silu = [-0.0000737, -0.1025928, -0.2689414, -0.0900332, 0, 0.1723328, 0.6398545, 2.3103545, 6.9936228, 11.9999256]

/** What transformers' activations of these names make of x. */
const expected = {
  gelu,
  gelu_python: gelu,
  gelu_10: gelu.with(-1, 10),
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  quick_gelu: [0, -0.0090334, -0.1542042, -0.0831425, 0, 0.1874841, 0.7400426, 2.465014, 6.9999533, 12],
  silu,
  swish: silu,
  hardswish: [0, 0, -0.3333333, -0.0933333, 0, 0.165, 0.585, 2.2916667, 7, 12],
  mish: [-0.0000737, -0.1040957, -0.3034014, -0.1071448, 0, 0.2080014, 0.7612059, 2.4713924, 6.9999886, 12],
  laplace: [0, 0, 0, 0.0006509, 0.0060945, 0.0744883, 0.7529452, 1, 1, 1],
  leaky_relu: [-0.12, -0.035, -0.01, -0.002, 0, 0.3, 0.9, 2.5, 7, 12],
  linear: x,
  relu: [0, 0, 0, 0, 0, 0.3, 0.9, 2.5, 7, 12],
  relu2: [0, 0, 0, 0, 0, 0.09, 0.81, 6.25, 49, 144],
  relu6: [0, 0, 0, 0, 0, 0.3, 0.9, 2.5, 6, 6],
  sigmoid: [0.0000061, 0.0293122, 0.2689414, 0.450166, 0.5, 0.5744425, 0.7109495, 0.9241418, 0.999089, 0.9999938],
  sqrtsoftplus: [
    0.0024787, 0.1724831, 0.5596979, 0.7733943, 0.8325546, 0.9243134, 1.1140708, 1.6058923, 2.6459236, 3.4641025,
  ],
  tanh: [-1, -0.9981779, -0.7615942, -0.1973753, 0, 0.2913126, 0.7162979, 0.9866143, 0.9999983, 1],
} as const

it('computes every activation as transformers does', async () => {
  const builder = new GraphBuilder('activations')
  const input = builder.input('x', 'float32', [x.length])
  for (const name of Object.keys(expected)) builder.output(name, activation(name, 'hidden_act')(input))
  const session = await openSession(optimize(builder.finish()), { threads: 1, prepack: false })
  const outputs = await session.run({ x: float32([x.length], x) })
  await session.release()
  for (const [name, values] of Object.entries(expected))
    toFloat32(outputs[name]!).data.forEach((y, i) => expect(y, `${name}(${x[i]})`).toBeCloseTo(values[i]!, 5))
})

it('refuses others by the key', () => {
  expect(() => activation('prelu', 'hidden_act')).toThrow(/hidden_act "prelu"/)
})
