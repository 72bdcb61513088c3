import type { Handlers } from './call.ts'
import { attnProcessorsHandler } from './handlers/attn-processors.ts'
import { compareEmbeddings } from './handlers/compare-embeddings.ts'
import { configure } from './handlers/configure.ts'
import { doctor } from './handlers/doctor.ts'
import { exportClip } from './handlers/export-clip.ts'
import { inspectHandler } from './handlers/inspect.ts'
import { freezeHandler, saveMotionHandler } from './handlers/motion.ts'
import { autotuneHandler, profileHandler } from './handlers/profile.ts'
import { scanModels } from './handlers/scan-models.ts'
import { runPipeline } from '#app/pipelines/node/runners.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { WeightHashes } from '#app/catalog/weight-hashes.ts'

/** Everything the engine does, by the names of the contract. */
export const createHandlers = (sessions: SessionCache, hashes: WeightHashes): Handlers => ({
  scanModels,
  run: (request, context) =>
    runPipeline({ sessions, referenceOf: (model, signal) => hashes.referenceOf(model, signal) }, request, context),
  compareEmbeddings,
  exportClip,
  attnProcessors: attnProcessorsHandler(sessions),
  freezeUnet2d: freezeHandler(sessions),
  saveMotionModules: saveMotionHandler(sessions),
  profile: profileHandler(sessions),
  autotune: autotuneHandler(sessions),
  inspect: inspectHandler(hashes),
  weightHashes: async ({ model }, { signal }) => ({ sha256: (await hashes.referenceOf(model, signal)).sha256 }),
  doctor,
  configure: configure(sessions),
})
