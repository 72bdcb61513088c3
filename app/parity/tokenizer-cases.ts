import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createT5Tokenizer } from '#app/tokenizers/t5.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { openClipTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'
import { readJson, type Verdict } from './case.ts'

const ids = z.array(z.int())
const schema = z.array(
  z.object({ text: z.string(), clip: ids.optional(), t5: ids.optional(), t5_mask: ids.optional() }),
)

/** tokenizers/: the ids of every text, exactly; one verdict for each tokenizer. */
export async function runTokenizerCases(folder: string, kind: 'clip' | 't5'): Promise<Verdict> {
  const texts = schema.parse(await readJson(join(folder, 'expected.json')))
  const tokenizer: Tokenizer =
    kind === 'clip'
      ? await openClipTokenizer(join(folder, 'clip'))
      : createT5Tokenizer({ spiece: await readFile(join(folder, 't5', 'spiece.model')) })
  for (const entry of texts) {
    const expected = entry[kind]
    if (!expected) continue
    const { ids, mask } = tokenizer.encodePrompt(entry.text, { maxLength: expected.length })
    const differs = ids.findIndex((id, i) => id !== expected[i])
    if (differs !== -1)
      return {
        state: 'FAIL',
        figure: `id ${differs} of ${JSON.stringify(entry.text)} is ${ids[differs]}, expected ${expected[differs]}`,
      }
    if (kind === 't5' && entry.t5_mask?.join() !== mask.join())
      return { state: 'FAIL', figure: `the mask of ${JSON.stringify(entry.text)} differs` }
  }
  return { state: 'PASS', figure: `${texts.length} texts` }
}
