import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { findPair, scanModels } from './find-model.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

export type ProcessorsOptions = GlobalOptions & { model?: string; motionAdapter?: string; out?: string }

/** Prints the attention layers of a model's UNet with their processors: the map that `--attn` takes, to be edited. */
export async function listProcessors(options: ProcessorsOptions, tools: Tools): Promise<undefined> {
  const models = await scanModels(tools, options, [options.model, options.motionAdapter])
  const pair = findPair(options, models)
  const { processors } = await tools.engine.call('attnProcessors', pair, { signal: tools.signal })
  const text = JSON.stringify(processors, null, 2)
  if (options.out === undefined) {
    console.log(text)
    return
  }
  await writeFile(resolve(options.out), `${text}\n`).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError('disk', `--out ${options.out}: ${why}`, { cause })
  })
  console.log(options.out)
}
