import { mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { locate } from '../case.ts'

type Composed = { readonly checkpoint: string; readonly components: Readonly<Record<string, unknown>> }

/**
 * Calls `run` with the folder of a case's base model. Where `components` names parts of it that come from elsewhere,
 * that is a folder like it with those parts, for as long as `run` takes.
 */
export async function inBase<T>(
  folder: string,
  { checkpoint, components }: Composed,
  run: (base: string) => Promise<T>,
): Promise<T> {
  const base = locate(folder, checkpoint.split(/ [(+]/)[0]!)
  const parts = Object.entries(z.record(z.string(), z.string()).parse(components))
  if (parts.length === 0) return run(base)
  const replaced = new Map(parts.map(([name, path]) => [name, locate(folder, path)]))
  const made = await mkdtemp(join(tmpdir(), 'frameloom-parity-'))
  try {
    for (const name of await readdir(base))
      await symlink(await realpath(replaced.get(name) ?? join(base, name)), join(made, name))
    return await run(made)
  } finally {
    await rm(made, { recursive: true })
  }
}
