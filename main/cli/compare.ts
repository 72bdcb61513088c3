import { basename, resolve } from 'node:path'
import { table } from './table.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

/** Prints how alike embeddings are: the cosine of each with each. */
export async function compare(
  files: string[],
  options: GlobalOptions & { json?: boolean },
  { engine, progress, signal }: Tools,
): Promise<undefined> {
  const named = files.map((file) => ({ file: resolve(file), name: file }))
  const { cosines } = await engine.call('compareEmbeddings', { files: named }, { signal })
  progress.end()
  if (options.json) console.log(JSON.stringify({ files, cosines }, null, 2))
  else {
    const names = files.map((file) => basename(file))
    const rows = cosines.map((row, i) => [names[i]!, ...row.map((value) => value?.toFixed(4) ?? 'other width')])
    console.log(table([['', ...names], ...rows], { right: files.map((_, i) => i + 1) }))
  }
}
