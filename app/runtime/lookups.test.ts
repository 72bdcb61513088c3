import { expect, test } from 'vitest'
import type { Weights } from '#app/checkpoints/weights.ts'
import { gather, GraphBuilder, Scope } from '#app/graph/index.ts'
import { cpuFloat32Passes, exactly } from '#app/graph/targets.ts'
import { runPasses } from '#app/graph/passes/run-passes.ts'
import { float32ToFloat16 } from '#app/tensor/half.ts'
import { int64 } from '#app/tensor/tensor.ts'
import { openSession } from './session.ts'

test('of a table in half precision only the rows that are looked up are widened', async () => {
  const rows = float32ToFloat16(Float32Array.from({ length: 10 }, (_, i) => i / 4))
  const weights: Weights = new Map([
    [
      'table.weight',
      { name: 'table.weight', dtype: 'float16', shape: [5, 2], source: { bytes: new Uint8Array(rows.buffer) } },
    ],
  ])
  const builder = new GraphBuilder('words')
  const ids = builder.input('ids', 'int64', [3])
  const table = Scope.root(builder, weights).at('table').weight('weight', [5, 2])
  builder.output('y', gather(table, ids, 0))
  const machine = { holdVectors: <T>(graph: T) => Promise.resolve(graph), choose: () => exactly }
  const passes = cpuFloat32Passes(machine)
  // Without the last one, which adds nodes that compute shapes.
  const graph = await runPasses(builder.finish(), passes.slice(0, -1))
  expect(graph.nodes.map(({ op, outputs }) => [op, outputs[0]!.dtype])).toEqual([
    ['Gather', 'float16'],
    ['Cast', 'float32'],
    ['Identity', 'float32'],
  ])
  const session = await openSession(await runPasses(builder.finish(), passes), { threads: 1, prepack: false })
  expect([...(await session.run({ ids: int64([3], [4, 0, 4]) })).y!.data]).toEqual([2, 2.25, 0, 0.25, 2, 2.25])
  await session.release()
})
