import { existsSync } from 'node:fs'
import { attnProcessorNames, attnProcessorTable } from '#app/contract/attn-processor-table.ts'
import { attnProcessorSchema, type AttnChoice } from '#app/contract/attn-processors.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { readMapFile } from './processors.ts'

const refuse = (message: string): never => {
  throw new ProblemError('bad-input', `--attn ${message}`, { field: 'attnProcessor' })
}

/**
 * NAME or NAME:SLICE for all attention layers, the JSON file of a processor or of a map by layer, or "default". Throws
 * bad-input naming the processors that there are, or the file and the layer that is wrong.
 */
export async function readAttention(text: string): Promise<AttnChoice | null> {
  if (text.toLowerCase() === 'default') return null
  const [, name = '', slice] = /^(\w+)(?::(\d+))?$/.exec(text) ?? []
  const known = attnProcessorNames.find((one) => one.toLowerCase() === name.toLowerCase())
  if (known !== undefined) {
    const one = { processor: known, ...(slice !== undefined && { slice_size: Number(slice) }) }
    const sliced = attnProcessorTable[known].argument === 'slice_size'
    const parsed = attnProcessorSchema.safeParse(one)
    if (!parsed.success || (slice !== undefined && !sliced))
      return refuse(sliced ? `${text}: write ${known}:N, N heads at a time.` : `${text}: ${known} takes no number.`)
    return parsed.data
  }
  if (!existsSync(text))
    refuse(`${text}: there is no such file, nor a processor of that name: ${attnProcessorNames.join(', ')}.`)
  return readMapFile(text)
}
