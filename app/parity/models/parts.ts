import type { Model } from '#app/models/model.ts'
import { apply } from './calls.ts'
import { argsOf, openPlain, withTimestep, type Runner } from './runner.ts'

/**
 * For models with several methods: a call of the setup that names one of `parts` says which is run, and with what arguments;
 * without such a call it is `otherwise`.
 */
export const partRunner =
  <Config>(model: Model<Config>, parts: readonly string[], otherwise: string): Runner =>
  async (place, spec, inputs) => {
    const opened = await openPlain(place, spec, model)
    const part = spec.setup.find(({ call }) => parts.includes(call))
    for (const step of spec.setup) if (step !== part) await apply(place.start, opened, step)
    const args = argsOf({ ...spec, args: { ...spec.args, ...part?.args } })
    return opened.forward(withTimestep(spec, inputs), { ...args, part: part?.call ?? otherwise })
  }
