import type { CommandId } from '#app/contract/commands.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Result } from '#app/contract/results.ts'
import type { AppSettings } from '#app/contract/settings.ts'
import type { StudioEvent } from '#app/contract/studio.ts'
import { uploadOf, type Library } from '#app/library/library.ts'
import type { ModelRoot } from '#main/paths.ts'
import { createEventHub } from './event-hub.ts'
import { createJobBoard } from './job-board.ts'
import { createJobQueue } from './job-queue.ts'
import type { Log } from './log.ts'
import { createMediaHandler } from './media/handler.ts'
import { createModelList } from './model-list.ts'
import { createPreviews } from './previews.ts'
import { createRouter, type StudioRouter } from './router.ts'
import { runJob } from './run-job.ts'
import { soundEvent } from './sound-event.ts'
import type { StudioEngine } from './studio-engine.ts'
import { createThrottle } from './throttle.ts'

export type Studio = {
  router: StudioRouter
  /** Answers what media-routes.ts lists; any other path with 404. Never rejects. */
  handleMedia: (request: Request) => Promise<Response>
  /** Tells the user something now. */
  tell: (message: string) => void
  /** Has the page perform a command that was chosen outside of it. */
  command: (id: CommandId) => void
  close(): void
}

export type StudioOptions = {
  library: Library
  /** What was found wrong at the start, for the user. */
  notices: () => readonly string[]
  engine: StudioEngine
  /** Folders to search, the bundled ones first. */
  modelRoots: (fromSettings: readonly string[]) => ModelRoot[]
  /** Where chosen proposals of `autotune` are kept. */
  tuningsFile: string
  appVersion: string
  log: Log
}

const uploadLifeMs = 60 * 60_000

/**
 * Everything a page can ask for, without knowing how the page is reached. It owns neither the library nor the engine.
 */
export function createStudio(options: StudioOptions): Studio {
  const { library, notices, engine, modelRoots, tuningsFile, appVersion, log } = options
  const hub = createEventHub(snapshot, (event) => soundEvent(event, log))
  const publish = (event: StudioEvent): void => hub.publish(event)
  const board = createJobBoard(library, publish)
  const previews = createPreviews()
  const models = createModelList(
    engine,
    () => modelRoots(library.settings().modelFolders),
    () => publish({ type: 'models', models: models.entries() }),
  )
  const tools = { engine, library, models, board, previews, appVersion }
  const queue = createJobQueue({ board, run: (id, signal) => runJob(tools, id, signal), recorded, finished, log })
  const engineEvents = createThrottle(200, publish)
  let writer: number | undefined
  const stopStatus = engine.onStatus((status) => {
    engineEvents.push('engine', { type: 'engine', engine: status })
    // An engine that died left half of what it wrote.
    if (status.pid !== writer) library.removeParts([status.pid])
    writer = status.pid
  })
  const tidying = setInterval(tidy, 30_000)
  tidying.unref()

  models.refresh().catch((error: unknown) => log.warn({ error }, 'no model list'))
  queue.wake()

  return {
    router: createRouter({ ...tools, tuningsFile, queue, hub, log, settingsChanged }),
    handleMedia: createMediaHandler({ library, engine, previews, log }),
    tell: (message) => publish({ type: 'notice', message }),
    command: (id) => publish({ type: 'command', id }),
    close() {
      clearInterval(tidying)
      stopStatus()
      queue.close()
      board.close()
      engineEvents.close()
      hub.close()
    },
  }

  function snapshot(): StudioEvent {
    return {
      type: 'snapshot',
      appVersion,
      jobs: board.list(),
      results: library.results(),
      models: models.entries(),
      modelsKnown: models.isKnown(),
      engine: engine.status(),
      settings: library.settings(),
      processorMaps: Array.from(library.processorMaps.list()),
      notices: Array.from(notices()),
    }
  }

  function recorded(result: Result): void {
    publish({ type: 'result-added', result })
  }

  /** Also what the disk did not let go of before. */
  function tidy(): void {
    library.uploads.expire(Date.now(), uploadLifeMs)
    library.removeParts([engine.status().pid])
  }

  function finished(id: string): void {
    // One job at a time: whatever half file the engine could not remove is nobody's now.
    library.removeParts([])
    const stored = board.find(id)
    for (const upload of stored ? uploadOf(stored) : []) library.uploads.release(upload, Date.now())
  }

  async function settingsChanged(before: AppSettings, after: AppSettings): Promise<void> {
    if (before.memoryBudgetMiB !== after.memoryBudgetMiB || before.threads !== after.threads) {
      // The engine takes it after what it does now: the page need not wait for that.
      engine
        .call('configure', { memoryBudgetBytes: after.memoryBudgetMiB * 2 ** 20, threads: after.threads })
        .catch((error: unknown) =>
          log.warn({ error: error instanceof ProblemError ? error.problem : error }, 'not configured'),
        )
    }
    if (before.modelFolders.join('\n') !== after.modelFolders.join('\n')) {
      models.refresh().catch((error: unknown) => log.warn({ error }, 'no model list'))
    }
  }
}
