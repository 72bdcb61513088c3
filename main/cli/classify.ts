import { basename, resolve } from 'node:path'
import type { Classification } from '#app/contract/results.ts'
import { defaultSettings, pipelines } from '#app/contract/pipelines.ts'
import { appVersion } from '#main/paths.ts'
import { computeOf, type ComputeOptions } from './compute.ts'
import { findModel, scanModels } from './find-model.ts'
import { readFields } from './pipeline-options.ts'
import { reportProblem, type GlobalOptions, type Tools } from './with-engine.ts'
import { table } from './table.ts'

export type ClassifyOptions = GlobalOptions & ComputeOptions & { model?: string; json?: boolean }

const pipeline = 'video-classification'

/**
 * Classifies each file; one that fails is reported and the others go on. The exit code is that of the first failure.
 */
export async function classify(files: string[], options: ClassifyOptions, tools: Tools): Promise<number> {
  const { engine, progress, signal } = tools
  const compute = computeOf(options)
  progress.update('Looking for models', 0)
  const models = await scanModels(tools, options, [options.model])
  const model = findModel(models, pipelines[pipeline].models.model.kind, options.model)
  const settings = {
    ...defaultSettings(pipeline),
    ...(await readFields(options)),
    model: model.id,
    compute,
  }

  let exitCode = 0
  const done: (Classification & { file: string })[] = []
  for (const [i, file] of files.entries()) {
    const name = basename(file)
    try {
      const made = await engine.call(
        'run',
        {
          pipeline,
          settings,
          models: { model: [model] },
          source: { file: resolve(file), name: file },
          appVersion: appVersion(),
        },
        {
          signal,
          onEvent: (event) => {
            if (event.type === 'stage') progress.update(`${name}: ${event.stage}`, (i + event.progress) / files.length)
          },
        },
      )
      progress.end()
      if (made.kind !== 'labels') continue
      const { classification } = made
      done.push({ file, ...classification })
      if (!options.json) console.log(wordsOf(file, classification))
    } catch (error) {
      if (signal.aborted) throw error
      progress.end()
      const code = reportProblem(error)
      exitCode ||= code
    }
  }
  if (options.json) console.log(JSON.stringify(done, null, 2))
  return exitCode
}

function wordsOf(file: string, { labels, windows, frameCount, notes }: Classification): string {
  const rows = labels.map(({ label, probability }) => [`${(probability * 100).toFixed(1)} %`, label])
  const frames = windows.map((window) => window.join(' ')).join(' | ')
  return [
    file,
    table(rows, { indent: 2, right: [0] }),
    `  frames ${frames} of ${frameCount}`,
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n')
}
