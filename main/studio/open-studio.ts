import { totalmem } from 'node:os'
import { openLibrary } from '#app/library/library.ts'
import { createSupervisor } from '#main/engine/supervisor.ts'
import { appVersion, cacheDir, dataDir, enginePath, missingFolders, modelRoots, nodePath } from '#main/paths.ts'
import { inDataDir } from '#main/data-folder.ts'
import { openLog, type Log } from './log.ts'
import { tuningsFile } from '#main/tunings.ts'
import { readOwnRecipe } from './read-recipe.ts'
import { createStudio, type Studio } from './studio.ts'

export type OpenStudioOptions = {
  /** Where the library is; the user's own when left out. */
  dataDir?: string
  modelRoots?: typeof modelRoots
  enginePath?: string
}

export type OpenedStudio = Omit<Studio, 'close' | 'tell'> & {
  notices: readonly string[]
  /** A folder for files of the moment. */
  scratch: string
  log: Log
  /** Ends the engine, then closes the library. */
  close(): Promise<void>
}

/**
 * A whole studio: library, engine process, and what the hosts serve of them. The engine starts in the background.
 * Throws as `inDataDir` and `openLibrary` do, and then leaves nothing running.
 */
export async function openStudio(options: OpenStudioOptions = {}): Promise<OpenedStudio> {
  const folder = options.dataDir ?? dataDir()
  let tell = (_message: string): void => {}
  const { log, library } = await inDataDir(folder, async () => {
    const log = openLog(folder)
    const opening = openLibrary({
      dataDir: folder,
      readRecipe: readOwnRecipe,
      totalMemoryBytes: totalmem(),
      onTrouble: (message) => {
        log.warn({}, message)
        tell(message)
      },
    })
    const library = await opening.catch((error: unknown) => {
      log.close()
      throw error
    })
    return { log, library }
  })
  const engine = createSupervisor({
    enginePath: options.enginePath ?? enginePath(),
    nodePath: nodePath(),
    cacheDir: cacheDir(folder),
    memoryBudgetBytes: library.settings().memoryBudgetMiB * 2 ** 20,
    threads: library.settings().threads,
    log,
  })
  const roots = options.modelRoots ?? modelRoots
  const missing = missingFolders()
  const notices = (): readonly string[] => missing.concat(library.notices())
  const studio = createStudio({
    library,
    notices,
    engine,
    modelRoots: roots,
    tuningsFile: tuningsFile(folder),
    appVersion: appVersion(),
    log,
  })
  tell = studio.tell
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    studio.close()
    await engine.close()
    library.close()
    log.close()
  }
  return {
    router: studio.router,
    handleMedia: studio.handleMedia,
    command: studio.command,
    notices: notices(),
    scratch: library.scratch,
    log,
    close: () => (closing ??= close()),
  }
}
