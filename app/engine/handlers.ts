import type { Handlers } from './call.ts'
import { attnProcessorsHandler } from './handlers/attn-processors.ts'
import { classifyHandler } from './handlers/classify.ts'
import { configure } from './handlers/configure.ts'
import { doctor } from './handlers/doctor.ts'
import { exportClip } from './handlers/export-clip.ts'
import { inspectHandler } from './handlers/inspect.ts'
import { scanModels } from './handlers/scan-models.ts'
import { textToVideoHandler } from './handlers/text-to-video.ts'
import type { SessionCache } from './session-cache.ts'
import type { WeightHashes } from './weight-hashes.ts'

/** Everything the engine does, by the names of the contract. */
export const createHandlers = (sessions: SessionCache, hashes: WeightHashes): Handlers => ({
  scanModels,
  textToVideo: textToVideoHandler(sessions, hashes),
  classify: classifyHandler(sessions),
  exportClip,
  attnProcessors: attnProcessorsHandler(sessions),
  inspect: inspectHandler(hashes),
  doctor,
  configure: configure(sessions),
})
