import { Option, type Command } from 'commander'
import {
  computeSchema,
  defaultCompute,
  precisions,
  providerNames,
  type Compute,
  type ComputeKind,
} from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'

export type ComputeOptions = ComputeKind & { exact?: boolean }

/** What the models run on: options of every command that runs some. */
export const addCompute = (command: Command): Command =>
  command
    .addOption(
      new Option('--provider <name>', 'what the models run on; "doctor" tells which this machine has')
        .choices(providerNames)
        .default(defaultCompute.provider),
    )
    .addOption(
      new Option('--precision <name>', 'int8: faster on the processor, a small loss; float16: for graphics processors')
        .choices(precisions)
        .default(defaultCompute.precision),
    )
    .option('--exact', 'leave out what float32 is sped up by at the price of a last digit')

/** Throws bad-input naming the option where two do not go together. */
export function computeOf({ provider, precision, exact = false }: ComputeOptions): Compute {
  const parsed = computeSchema.safeParse({ provider, precision, exact })
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new ProblemError('bad-input', `--${path.join('.')}: ${message}`, { field: 'compute' })
}
