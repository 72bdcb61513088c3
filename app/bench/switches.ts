import { readFileSync } from 'node:fs'
import { float32 } from '#app/tensor/tensor.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import { openUNetMotion, type UNetMotion } from '#app/loaded/unet-motion.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { median } from './statistics.ts'

/**
 * How long a change of settings takes on a model that is open, from the call that makes it until the model can run with
 * it.
 */
export type SwitchFigures = {
  readonly title: string
  readonly ms: number
  readonly slowestMs: number
  /** Processor time, which a busy machine does not change as much. */
  readonly cpuMs: number
  /** Bytes of weights that were mapped for it, and that the process read from any disk (proc(5): read_bytes). */
  readonly mapped: number
  readonly read: number
}

const ways: readonly { readonly title: string; readonly to: (model: UNetMotion) => unknown }[] = [
  { title: 'enableForwardChunking(2, 1)', to: (model) => model.enableForwardChunking(2, 1) },
  { title: 'disableForwardChunking', to: (model) => model.disableForwardChunking() },
  {
    title: 'setAttnProcessor: sliced in the layers of the first level, plain in the others',
    to: (model) => model.setAttnProcessor(mapOf(model)),
  },
  { title: 'setAttnProcessor: sliced everywhere', to: (model) => model.setAttnProcessor(sliced) },
  { title: 'fuseQkvProjections', to: (model) => model.fuseQkvProjections() },
  { title: 'unfuseQkvProjections', to: (model) => model.unfuseQkvProjections() },
  { title: 'enableFreeu', to: (model) => model.enableFreeu({ s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 }) },
  { title: 'enableFreeu, other values', to: (model) => model.enableFreeu({ s1: 0.8, s2: 0.4, b1: 1.3, b2: 1.4 }) },
  { title: 'disableFreeu', to: (model) => model.disableFreeu() },
]

const sliced = { processor: 'SlicedAttnProcessor', slice_size: 8 } as const
const mapOf = (model: UNetMotion) =>
  Object.fromEntries(
    Object.keys(model.attnProcessors).map((path) => [
      path,
      path.startsWith('down_blocks.0.') ? sliced : ({ processor: 'AttnProcessor2_0' } as const),
    ]),
  )

/** Each way is measured once in each round, and each round begins with no session but that of the default. */
export async function switches(
  folder: string,
  { threads, rounds, kernelFile }: { threads: number; rounds: number; kernelFile: string },
): Promise<SwitchFigures[]> {
  const inputs = {
    sample: normalValues([1, 4, 8, 32, 32], 1),
    timestep: float32([1], [500]),
    encoder_hidden_states: normalValues([1, 77, 768], 2),
  }
  const figures = ways.map(() => ({ ms: [] as number[], cpu: [] as number[], mapped: 0, read: 0 }))
  for (let round = 0; round < rounds; round++) {
    const sessions = new SessionCache()
    sessions.configure({ threads, kernelFile })
    const model = await openUNetMotion(sessions, folder)
    await model.prepare('forward', inputs)
    for (const [i, { to }] of ways.entries()) {
      const [mapped, read] = [sessions.stats().bytesMapped, bytesRead()]
      const [began, before] = [performance.now(), process.cpuUsage()]
      await to(model)
      await model.prepare('forward', inputs)
      figures[i]!.ms.push(performance.now() - began)
      const { user, system } = process.cpuUsage(before)
      figures[i]!.cpu.push((user + system) / 1000)
      figures[i]!.mapped += sessions.stats().bytesMapped - mapped
      figures[i]!.read += bytesRead() - read
    }
    await sessions.close()
  }
  return figures.map(({ ms, cpu, mapped, read }, i) => ({
    title: ways[i]!.title,
    ms: median(ms),
    slowestMs: Math.max(...ms),
    cpuMs: median(cpu),
    mapped,
    read,
  }))
}

/** What the process had to fetch from disks since it started; 0 where the system does not say. */
function bytesRead(): number {
  if (process.platform !== 'linux') return 0
  return Number(/^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
}
