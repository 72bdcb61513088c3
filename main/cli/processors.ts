import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { isOneProcessor, parseAttnChoice, type AttnChoice } from '#app/contract/attn-processors.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { openLibrary } from '#app/library/library.ts'
import { openProcessorMaps, type ProcessorMaps } from '#app/library/processor-maps.ts'
import { readSnapshot } from '#app/library/snapshot.ts'
import { inDataDir } from '#main/data-folder.ts'
import { dataDir } from '#main/paths.ts'
import { readOwnRecipe } from '#main/studio/read-recipe.ts'
import { exitCodes } from './exit-codes.ts'
import { findPair, scanModels } from './find-model.ts'
import { table } from './table.ts'
import { reportProblem, type GlobalOptions, type Tools, type WithEngine } from './with-engine.ts'

type ProcessorsOptions = GlobalOptions & { model?: string; motionAdapter?: string; out?: string }

/**
 * Processors of a model's layers, and maps of them that are kept in the library. `command` has the options of commands
 * that `withEngine` runs.
 */
export function addProcessors(command: Command, withEngine: WithEngine): void {
  command
    .description(
      "Print the attention processors of a model's layers as JSON, to be edited and given to generate --processors; or keep such maps.",
    )
    .option('--model <id>', 'Stable Diffusion or PixArt model, by id, name or folder (default: the first found)')
    .option('--motion-adapter <id>', 'motion adapter (default: the first that fits the model)')
    .option('-o, --out <file>', 'write them to this file')
    .addHelpText(
      'after',
      `
Examples:
  frameloom processors --out map.json
  frameloom processors save "low memory" map.json
  frameloom generate -p "a blue star" -o star.webp --processors "low memory"`,
    )
    .action((options: ProcessorsOptions) => withEngine(options, (tools) => listLayers(options, tools)))

  command
    .command('save')
    .description('Keep the map of a JSON file under a name, which the studio shows too.')
    .argument('<name>')
    .argument('<file>')
    .option('--replace', 'take the place of the map of that name')
    .action((name: string, file: string, { replace = false }: { replace?: boolean }) =>
      reporting(() => changeMaps(async (maps) => maps.save(name, await readMapFile(file), replace))),
    )
  command
    .command('list')
    .description('List the maps that are kept.')
    .action(() =>
      reporting(() => {
        const rows = keptMaps()
          .list()
          .map(({ name, processors, savedAt }) => [
            name,
            isOneProcessor(processors) ? processors.processor : `${Object.keys(processors).length} layers`,
            new Date(savedAt).toISOString().slice(0, 16).replace('T', ' '),
          ])
        console.log(table([['NAME', 'PROCESSORS', 'SAVED (UTC)'], ...rows]))
      }),
    )
  command
    .command('show')
    .description('Print a map as JSON.')
    .argument('<name>')
    .action((name: string) => reporting(() => console.log(JSON.stringify(keptMaps().get(name).processors, null, 2))))
  command
    .command('delete')
    .description('Delete a map.')
    .argument('<name>')
    .action((name: string) => reporting(() => changeMaps((maps) => maps.remove(name))))
}

/** The attention layers of a model's denoiser with their processors. */
async function listLayers(options: ProcessorsOptions, tools: Tools): Promise<undefined> {
  const models = await scanModels(tools, options, [options.model, options.motionAdapter])
  const pair = findPair(options, models)
  const { processors } = await tools.engine.call('attnProcessors', pair, { signal: tools.signal })
  const text = JSON.stringify(processors, null, 2)
  if (options.out === undefined) {
    console.log(text)
    return
  }
  await writeFile(resolve(options.out), `${text}\n`).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError('disk', `--out ${options.out}: ${why}`, { cause })
  })
  console.log(options.out)
}

/**
 * The map of a file, or else the one that is kept under the name. Throws bad-input or not-found saying which there are.
 */
export async function readProcessors(wanted: string): Promise<AttnChoice> {
  if (existsSync(wanted)) return readMapFile(wanted)
  return keptMaps().get(wanted).processors
}

/** Throws bad-input naming the file and the layer that is wrong. */
export async function readMapFile(file: string): Promise<AttnChoice> {
  try {
    return parseAttnChoice(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ProblemError('bad-input', `${file}: ${toProblem(error).message}`, {
      field: 'attnProcessor',
      cause: error,
    })
  }
}

/** The maps as they are now, whether or not the studio has the library open. */
const keptMaps = (): Pick<ProcessorMaps, 'list' | 'get'> =>
  readSnapshot(join(dataDir(), 'library.sqlite'), openProcessorMaps)

/** Opens the library, which the studio must not have open at the same time. */
async function changeMaps(work: (maps: ProcessorMaps) => void | Promise<void>): Promise<void> {
  const folder = dataDir()
  const library = await inDataDir(folder, () =>
    openLibrary({ dataDir: folder, readRecipe: readOwnRecipe, totalMemoryBytes: totalmem() }),
  )
  try {
    for (const notice of library.notices()) process.stderr.write(`note: ${notice}\n`)
    await work(library.processorMaps)
  } finally {
    library.close()
  }
}

async function reporting(work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
    process.exitCode = exitCodes.ok
  } catch (error) {
    process.exitCode = reportProblem(error)
  }
}
