import type { Handler } from '../call.ts'
import { loadReport } from '#app/catalog/inspect/load-report.ts'
import type { WeightHashes } from '#app/catalog/weight-hashes.ts'

/** What a file or folder of weights holds. */
export const inspectHandler = (hashes: WeightHashes): Handler<'inspect'> =>
  async function* ({ path }, { signal }) {
    return yield* loadReport(path, (file) => hashes.hashOf(file, signal))
  }
