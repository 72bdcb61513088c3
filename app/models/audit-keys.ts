import type { Weights } from '#app/checkpoints/weights.ts'
import { defaultOptions, GraphBuilder, Scope, type CompileOptions } from '#app/graph/index.ts'
import type { InputShapes, Model } from './model.ts'

/** Keys that a model needs and lacks, has in another shape (as a message each), and has beyond its need. */
export type KeyAudit = { readonly missing: string[]; readonly wrong: string[]; readonly unused: string[] }

export type Run = { readonly inputs: InputShapes; readonly args?: CompileOptions['args'] }

/**
 * Compares a checkpoint with what a model asks for, by building its graph and never running it. A model that does different
 * things by its arguments needs a run for each. Throws what the model's forward throws about anything but weights.
 */
export function auditKeys<Config>(
  model: Model<Config>,
  config: Config,
  weights: Weights,
  runs: readonly Run[],
): KeyAudit {
  const missing = new Set<string>()
  const wrong = new Map<string, string>()
  let unused = [...weights.keys()]
  for (const { inputs, args = {} } of runs) {
    const builder = new GraphBuilder(model.className)
    const scope = Scope.root(
      builder,
      weights,
      { ...defaultOptions, args },
      {
        onWrongKey: (key, { message }) => {
          if (weights.has(key)) wrong.set(key, message)
          else missing.add(key)
        },
      },
    )
    const values = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, builder.input(name, dtype, shape)]),
    )
    model.forward(scope, config, values)
    const left = new Set(scope.unusedKeys())
    // A run may pass over the keys of the others, and these over its own: what none of them takes is unused.
    unused = unused.filter((key) => left.has(key))
  }
  const needless = (key: string): boolean =>
    runs.every(({ args = {} }) => model.ignoredKeys?.(key, { ...defaultOptions, args }) ?? false)
  return { missing: [...missing], wrong: [...wrong.values()], unused: unused.filter((key) => !needless(key)) }
}
