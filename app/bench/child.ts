import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { readTensors } from '#app/parity/case.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { cases, openForward, type Variant } from './cases.ts'

/**
 * Our side of a benchmark, behind the line protocol of reference.py: `ready` when the checkpoint is open, then for each
 * line of input `run` -> {"ms", "cpu_ms"}, `save FILE`, `rss` -> peaks in MiB, `quit`.
 */
export async function child(
  name: string,
  folder: string,
  threads: number,
  inputsFile: string,
  variant: Variant,
  kernelFile: string | undefined,
): Promise<void> {
  const say = (message: object): void => console.log(JSON.stringify(message))
  const sessions = new SessionCache()
  const { precision = 'float32', exact = false, prepack } = variant
  sessions.configure({ threads, compute: { precision, exact }, prepack, kernelFile })
  const found = cases[name]
  if (!found) throw new Error(`unknown case ${name}; known are ${Object.keys(cases).join(', ')}`)
  const forward = await openForward(sessions, folder, found, variant)
  const inputs = await readTensors(inputsFile)
  say({ ready: name })
  let output: Tensor | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, file] = line.split(' ')
    if (word === 'run') {
      const before = process.cpuUsage()
      const began = performance.now()
      output = await forward(inputs)
      const ms = performance.now() - began
      const { user, system } = process.cpuUsage(before)
      say({ ms, cpu_ms: (user + system) / 1000 })
    } else if (word === 'save' && file && output) {
      await writeSafetensors(file, { output })
      say({ saved: 1 })
    } else if (word === 'rss') say(memory())
    else if (word === 'quit') break
  }
  process.exit(0)
}

/** Highest resident set, and what of the present one is anonymous or pages of files, in MiB (proc(5)). */
export function memory(pid: number | 'self' = 'self'): { peak_mib: number; anonymous_mib: number; file_mib: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (key: string): number => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024)
  return { peak_mib: mib('VmHWM'), anonymous_mib: mib('RssAnon'), file_mib: mib('RssFile') }
}
