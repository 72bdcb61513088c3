import { describe, expect, it } from 'vitest'
import type { Weight } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  GraphBuilder,
  layerNorm,
  linear,
  mul,
  optimize,
  reshape,
  Scope,
  silu,
  verify,
  type Graph,
  type Value,
} from './index.ts'

const weight = (name: string, ...shape: number[]): Weight => ({
  name,
  dtype: 'float32',
  shape,
  source: { file: '/weights', offset: 0, length: 0 },
})
const weights = (...list: Weight[]): Map<string, Weight> => new Map(list.map((one) => [one.name, one]))

function built(define: (builder: GraphBuilder) => void): Graph {
  const builder = new GraphBuilder('test')
  define(builder)
  return builder.finish()
}

describe('the builder', () => {
  it('refuses shapes that do not fit, naming the layer', () => {
    const builder = new GraphBuilder('test')
    const scope = Scope.root(builder, weights(weight('down.proj.weight', 4, 8)))
    const x = builder.input('x', 'float32', [2, 6])
    expect(() => linear(scope.at('down', 'proj'), x, 4, { bias: false })).toThrow(
      /down\.proj\.weight.*\(4, 8\).*\(4, 6\)/,
    )
    const y = builder.input('y', 'float32', [2, 5])
    expect(() => scope.at('mid_block').emit('Add', [x, y])).toThrow(/^mid_block: Add: .*\(2, 6\).*\(2, 5\)/)
    const up = scope.at('up').emit('Sigmoid', [x])
    scope.at('down') // a scope that is not used changes nothing
    expect(() => add(y, up)).toThrow(/^up: Add: .*\(2, 5\).*\(2, 6\)/)
  })

  it('refuses an operator with too few inputs, an unknown attribute, and mixed types', () => {
    const builder = new GraphBuilder('test')
    const x = builder.input('x', 'float32', [2])
    expect(() => builder.emit('Add', [x])).toThrow(/1 inputs/)
    expect(() => builder.emit('Softmax', [x], { axis: 0, temperature: 2 })).toThrow(/temperature/)
    expect(() => builder.emit('Add', [x, builder.input('i', 'int64', [2])])).toThrow(/float32 and int64/)
  })
})

describe('a node that no layer claims', () => {
  const builder = new GraphBuilder('test')
  const scope = Scope.root(builder, weights(weight('table', 6), weight('a.scale', 6)))
  const x = builder.input('x', 'float32', [2, 6])
  const pathOf = (value: Value): string => value.path

  it('stands with the operand that took the most nodes to make, in whatever order they come', () => {
    const before = scope.at('before').emit('Sigmoid', [x])
    const [early, late] = [scope.at('early'), scope.at('late')]
    const inLate = late.emit('Sigmoid', [before])
    const inEarly = early.emit('Sigmoid', [late.emit('Sigmoid', [before])])
    expect([add(before, inLate), add(inLate, before), mul(inLate, 2)].map(pathOf)).toEqual(['late', 'late', 'late'])
    expect([add(inLate, inEarly), add(inEarly, inLate)].map(pathOf)).toEqual(['early', 'early'])
    expect(pathOf(add(x, x))).toBe('')
  })

  it('stands with a weight that it reads, reshaped or widened or as it is', () => {
    const scale = scope.at('a').weight('scale', [6])
    const deep = scope.at('b').emit('Sigmoid', [scope.at('b').emit('Sigmoid', [x])])
    expect([mul(deep, scale), add(deep, reshape(mul(scale, 2), [1, 6]))].map(pathOf)).toEqual(['a', 'a'])
  })

  it('stands with what a loop is for, as the loop itself does', () => {
    const outer = scope.at('before').emit('Sigmoid', [x])
    const paths: string[] = []
    const loop = builder.scan([outer], 0, (row) => {
      paths.push(silu(row).path)
      return add(row, scope.at('inside').emit('Sigmoid', [row]))
    })
    expect([...paths, loop.path]).toEqual(['before', 'inside'])
  })
})

describe('the key audit', () => {
  const scopeOf = (...list: Weight[]): Scope => Scope.root(new GraphBuilder('UNet'), weights(...list))

  it('names a missing key', () => {
    expect(() => scopeOf().at('conv_in').weight('weight', [4])).toThrow(/"conv_in\.weight"/)
  })

  it('names keys that no layer used, and passes over those that files carry without need', () => {
    const scope = scopeOf(weight('used', 1), weight('left.over', 1), weight('position_ids', 1))
    scope.weight('used', [1])
    expect(() => scope.audit()).toThrow(ProblemError)
    expect(() => scope.audit((key) => key === 'position_ids')).toThrow(/"left\.over"/)
    expect(() => scope.audit(() => true)).not.toThrow()
  })
})

describe('the passes', () => {
  it('do equal work once, read through reshapes, and drop what nothing needs', () => {
    const graph = built((builder) => {
      const x = builder.input('x', 'float32', [2, 6])
      silu(mul(x, 3)) // needed by nothing
      const [a, b] = [silu(reshape(reshape(x, [12]), [3, 4])), silu(reshape(x, [3, 4]))]
      builder.output('y', add(a, b))
    })
    expect(optimize(graph).nodes.map(({ op }) => op)).toEqual(['QuickGelu', 'Add', 'Reshape', 'Identity'])
  })

  it('do reshapes after what does not care, and leave those that matter', () => {
    const graph = built((builder) => {
      const list = ['a', 'b'].map((name) => [weight(`${name}.weight`, 8, 8), weight(`${name}.bias`, 8)]).flat()
      const scope = Scope.root(builder, weights(...list, weight('norm.weight', 8), weight('norm.bias', 8)))
      const x = builder.input('x', 'float32', [2, 3, 8])
      const first = linear(scope.at('a'), x, 8)
      const second = linear(scope.at('b'), layerNorm(scope.at('norm'), silu(first)), 8)
      // The sum is along the last axis and the one before it, which the matrix does not have.
      builder.output('y', add(add(first, second), builder.input('positions', 'float32', [3, 8])))
    })
    const { nodes } = optimize(graph)
    expect(nodes.map(({ op }) => op)).toEqual([
      ...['Reshape', 'Gemm', 'QuickGelu', 'LayerNormalization', 'Gemm', 'Add'],
      ...['Reshape', 'Add', 'Identity'],
    ])
    expect(nodes[3]!.attributes['axis']).toBe(1)
  })

  it('keep what the body of a loop takes from outside', () => {
    const graph = built((builder) => {
      const x = builder.input('x', 'float32', [3, 4])
      const factor = silu(builder.input('factor', 'float32', [4]))
      builder.output(
        'y',
        builder.scan([x], 0, (row) => mul(row, factor)),
      )
    })
    const optimized = optimize(graph)
    expect(optimized.nodes.map(({ op }) => op)).toEqual(['QuickGelu', 'Scan', 'Identity'])
    expect(optimized.outputs[0]?.value.shape).toEqual([3, 4])
  })

  it('are caught by the verifier when they break a graph', () => {
    const graph = built((builder) => {
      const x = builder.input('x', 'float32', [2])
      builder.output('y', silu(silu(x)))
    })
    const [first, second, last] = graph.nodes
    expect(() => verify({ ...graph, nodes: [second!, first!, last!] }, 'after a broken pass')).toThrow(
      /after a broken pass: .* before it is made/,
    )
    const widened = { ...first!, outputs: [{ ...first!.outputs[0]!, shape: [3] }] }
    expect(() => verify({ ...graph, nodes: [widened, second!, last!] }, 'after a broken pass')).toThrow()
    expect(() => verify({ ...graph, nodes: [first!] }, 'after a broken pass')).toThrow(/never made/)
  })
})
