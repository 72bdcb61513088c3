import { ensureBuilt } from './setup.mjs'

/** Vitest's set-up, once for all files: the processes that tests start, built where they are stale. */
export async function setup() {
  const built = await ensureBuilt((line) => console.log(line), ['node', 'test'])
  if (!built) throw new Error('The processes that tests start could not be built: see above.')
}
