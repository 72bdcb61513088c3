import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readNodeTimes } from './node-times.ts'

const node = (name: string, dur: number): object => ({ cat: 'Node', name: `${name}_kernel_time`, dur, ts: 0, args: {} })
const run = { cat: 'Session', name: 'model_run', dur: 900, ts: 0, args: {} }

it('nodes are known by their place in the graph, and what runs in a loop counts as the loop', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'frameloom-node-times-'))
  try {
    const events = [
      { cat: 'Session', name: 'session_initialization', dur: 1, ts: 0, args: {} },
      node('down_blocks.0.attn1/MatMul_7', 250),
      node('mid_block.ff/Add_12_0', 90),
      node('mid_block.ff/Scan_12', 100),
      node('up_blocks.1/Slice_893/GatherSliceToSplitFusion', 50),
      node('Transpose_token', 20),
      run,
      node('/Identity_0', 10),
      run,
    ]
    const file = join(folder, 'profile.json')
    await writeFile(file, `[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]\n`)
    expect(await readNodeTimes(file)).toEqual([
      [
        { index: 7, milliseconds: 0.25 },
        { index: 12, milliseconds: 0.1 },
        { index: 893, milliseconds: 0.05 },
        { index: undefined, milliseconds: 0.02 },
      ],
      [{ index: 0, milliseconds: 0.01 }],
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
