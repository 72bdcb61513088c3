import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineCalls } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { openEmbedding } from '#app/checkpoints/embedding.ts'
import { isFile } from '#app/checkpoints/open-model.ts'
import { cleanCaption, plainCaption } from '#app/pipelines/clean-caption.ts'
import { countedWords } from '#app/pipelines/node/embeddings.ts'
import { countTokens, longer } from '#app/pipelines/count-tokens.ts'
import { openClipTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'
import { openT5Tokenizer } from '#app/tokenizers/node/t5-tokenizer.ts'
import { withWords, type Tokenizer } from '#app/tokenizers/tokenizer.ts'
import type { Handler } from '../call.ts'

type Request = EngineCalls['countTokens']['request']

/** Tokenizers are read once for each folder, and the last few are kept. */
const kept = 4

/**
 * How long texts are for a model; by the tokenizer that needs more room where it has two. Opens no weights. Throws
 * bad-model for a model without a tokenizer.
 */
export function createCountTokens(): Handler<'countTokens'> {
  const opened = new Map<string, Promise<Tokenizer>>()
  const open = (folder: string, kind: Request['model']['kind']): Promise<Tokenizer> => {
    const tokenizer = opened.get(folder) ?? (kind === 'pixart' ? openT5Tokenizer(folder) : openClipTokenizer(folder))
    opened.delete(folder)
    opened.set(folder, tokenizer)
    // What could not be opened may be there the next time.
    tokenizer.catch(() => opened.delete(folder))
    if (opened.size > kept) opened.delete(opened.keys().next().value!)
    return tokenizer
  }
  return async ({ model, texts, cleanCaption: cleans, embeddings, ...reading }) => {
    const inversions = await Promise.all(embeddings.map(({ folder }) => openEmbedding(folder)))
    const tokenizers = await Promise.all(
      foldersOf(model).map(async ({ folder, part }) =>
        withWords(await open(folder, model.kind), countedWords(inversions, part)),
      ),
    )
    return {
      counts: texts.map((text) => {
        const read = cleans === null ? text : cleans ? cleanCaption(text) : plainCaption(text)
        return tokenizers.map((tokenizer) => countTokens(tokenizer, read, reading)).reduce(longer)
      }),
    }
  }
}

/** The folders of a model's tokenizers, each with the text encoder that it is for. */
function foldersOf({ folder, tokenizerFolder, name }: Request['model']) {
  const folders = isFile(folder)
    ? [{ folder: tokenizerFolder, part: 'text_encoder' as const }]
    : [
        { folder: join(folder, 'tokenizer'), part: 'text_encoder' as const },
        { folder: join(folder, 'tokenizer_2'), part: 'text_encoder_2' as const },
      ]
  const found = folders.flatMap(({ folder, part }) => (folder && existsSync(folder) ? { folder, part } : []))
  if (found.length === 0) throw new ProblemError('bad-model', `${name} has no tokenizer.`, { file: folder })
  return found
}
