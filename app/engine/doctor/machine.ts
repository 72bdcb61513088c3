import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { DoctorReport } from '#app/contract/system.ts'
import { fewestThreads, threadCurve } from '#app/runtime/threads.ts'

type Check = DoctorReport['checks'][number]

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

/** Less does not hold a Stable Diffusion 1.5 checkpoint and its work at a small size. */
const comfortable = 6 * 2 ** 30

/** Memory of this machine, or of the container that limits it. */
export async function checkMemory(): Promise<Check> {
  const limit = process.constrainedMemory()
  const total = limit > 0 && limit < totalmem() ? limit : totalmem()
  const meminfo = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024 || freemem()
  const detail = `${gibibytes(total)}, ${gibibytes(Math.min(available, total))} available`
  return total < comfortable
    ? { name: 'Memory', state: 'warning', detail: `${detail}: enough for small models only` }
    : { name: 'Memory', state: 'ok', detail }
}

/** The processor, and how much faster it is with each further thread that it has for this process. */
export async function checkCores(): Promise<Check> {
  const model = cpus()[0]?.model.trim() || process.arch
  const curve = await threadCurve()
  const fewest = fewestThreads(curve)
  const speeds = curve.map(({ threads, ms }) => `${threads}: ${(curve[0]!.ms / ms).toFixed(2)}x`).join(', ')
  const use = fewest === undefined ? 'others are at work, so this says little' : `${fewest} are enough`
  return { name: 'Processor', state: 'ok', detail: `${model}; threads ${speeds} (${use})` }
}

/** Instruction sets by the names that Linux gives them; onnxruntime has kernels of its own for each of these. */
const wanted = [
  'avx',
  'avx2',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'avx512_bf16',
  'amx_int8',
  'asimd',
  'asimddp',
  'i8mm',
]

/** What the processor can do with many numbers at once; without AVX2 on x64, models run several times slower. */
export async function checkSimd(): Promise<Check> {
  const features = await simdFeatures()
  if (!features) return { name: 'SIMD', state: 'ok', detail: `not told by this system (${process.arch})` }
  const found = wanted.filter((name) => features.has(name))
  const slow = process.arch === 'x64' && !features.has('avx2')
  return {
    name: 'SIMD',
    state: slow ? 'warning' : 'ok',
    detail: `${found.join(' ') || 'none known'}${slow ? ': without AVX2 models run slowly' : ''}`,
  }
}

async function simdFeatures(): Promise<Set<string> | undefined> {
  if (process.platform === 'linux') {
    const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1]
    return flags === undefined ? undefined : new Set(flags.trim().split(/\s+/))
  }
  if (process.platform !== 'darwin') return undefined
  const { stdout } = await promisify(execFile)('sysctl', ['hw.optional', 'machdep.cpu']).catch(() => ({ stdout: '' }))
  if (!stdout) return undefined
  const found = new Set<string>()
  if (/AVX2/.test(stdout)) found.add('avx').add('avx2')
  if (/(AdvSIMD|neon): 1/i.test(stdout)) found.add('asimd')
  if (/FEAT_DotProd: 1/.test(stdout)) found.add('asimddp')
  if (/FEAT_I8MM: 1/.test(stdout)) found.add('i8mm')
  return found
}
