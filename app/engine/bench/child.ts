import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { timesformerForVideoClassification } from '#app/models/timesformer.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from '../loaded-model.ts'
import { openUNetMotion } from '../open/unet-motion.ts'
import { readTensors, type Tensors } from '../parity/case.ts'
import { SessionCache } from '../session-cache.ts'

type Forward = (inputs: Tensors) => Promise<Tensor>

/** The benchmark cases: a full-size checkpoint and one forward. The same names as reference.py. */
const cases: Readonly<Record<string, (sessions: SessionCache, folder: string) => Promise<Forward>>> = {
  async timesformer(sessions, folder) {
    const { config, weights } = await openCheckpoint(folder)
    const model = new LoadedModel(timesformerForVideoClassification, config, weights, sessions)
    return async (inputs) => (await model.forward(inputs)).logits!
  },
  async 'unet-motion'(sessions, folder) {
    const model = await openUNetMotion(sessions, folder)
    return async (inputs) => (await model.forward({ ...inputs, timestep: float32([1], [500]) })).sample!
  },
}

/**
 * Our side of a benchmark, behind the line protocol of the reference's: `ready` when the checkpoint is open, then for each line of
 * input `run` -> {"ms"}, `save FILE`, `rss` -> peaks in MiB, `quit`.
 */
export async function child(name: string, folder: string, threads: number, inputsFile: string): Promise<void> {
  const say = (message: object): void => console.log(JSON.stringify(message))
  const started = performance.now()
  const sessions = new SessionCache()
  sessions.configure({ threads })
  const open = cases[name]
  if (!open) throw new Error(`unknown case ${name}; known are ${Object.keys(cases).join(', ')}`)
  const forward = await open(sessions, folder)
  const inputs = await readTensors(inputsFile)
  say({ ready: name, load_s: (performance.now() - started) / 1000 })
  let output: Tensor | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, file] = line.split(' ')
    if (word === 'run') {
      const before = performance.now()
      output = await forward(inputs)
      say({ ms: performance.now() - before })
    } else if (word === 'save' && file && output) {
      await writeSafetensors(file, { output })
      say({ saved: file })
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
