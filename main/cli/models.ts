import { modelEntrySchema } from '#app/contract/models.ts'
import { presetOf } from '#app/contract/presets.ts'
import { userModelsDir } from '#main/paths.ts'
import { scanModels } from './find-model.ts'
import { table } from './table.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

/** Lists the checkpoints that were found, and what is wrong with those that cannot be used. */
export async function listModels(options: GlobalOptions & { json?: boolean }, tools: Tools): Promise<undefined> {
  const models = await scanModels(tools, options)
  if (options.json) {
    console.log(
      JSON.stringify(
        models.map((model) => modelEntrySchema.parse(model)),
        null,
        2,
      ),
    )
    return
  }
  const rows = models.map((model) => [
    model.id,
    model.kind,
    model.problem ? 'cannot be used' : `${(model.bytes / 1e6).toFixed(1)} MB ${model.precision}`,
    [model.detail, presetOf(model, models)?.title].filter(Boolean).join('; '),
    model.demo ? 'bundled demo' : model.location,
  ])
  console.log(table([['ID', 'KIND', 'SIZE', 'WHAT', 'WHERE'], ...rows]))
  for (const { id, problem } of models) if (problem) tools.progress.note(`${id}: ${problem.message}`)
  if (models.every((model) => model.demo))
    tools.progress.note(
      `Only the small demo models are here. Put Hugging Face checkpoint folders into ${userModelsDir()}.`,
    )
}
