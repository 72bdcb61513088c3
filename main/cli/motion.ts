import { existsSync, readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { EngineCalls, LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { findModel, findPair, scanModels } from './find-model.ts'
import { table } from './table.ts'
import type { GlobalOptions, Tools, WithEngine } from './with-engine.ts'

type Pair = EngineCalls['freezeUnet2d']['request']
type MotionOptions = GlobalOptions & { motionAdapter?: string }
const adapterOption = [
  '--motion-adapter <id>',
  'motion adapter of a model that makes stills (default: the first that fits)',
] as const

/** `motion save`, and what belongs to it. `command` has the options of commands that `withEngine` runs. */
export function addMotion(command: Command, withEngine: WithEngine): void {
  command
    .description(
      "Write the motion modules of a model, or of a file in AnimateDiff's own layout, as a MotionAdapter folder.",
    )
    .argument('<model>', 'Stable Diffusion model or motion adapter, by id, name, folder or file')
    .argument('<folder>', 'a new or empty folder')
    .option(...adapterOption)
    .action((wanted: string, out: string, options: MotionOptions) =>
      withEngine(options, (tools) => saveMotion(wanted, out, options, tools)),
    )
}

/** `freeze`. */
export function addFreeze(command: Command, withEngine: WithEngine): void {
  command
    .description(
      "Tell which weights of a motion UNet stay, and which may be trained, when only its motion is: diffusers' freeze_unet2d_params.",
    )
    .argument('<model>', 'Stable Diffusion model, by id, name or folder')
    .option(...adapterOption)
    .option('--json', 'print the names of all weights as JSON')
    .action((wanted: string, options: MotionOptions & { json?: boolean }) =>
      withEngine(options, (tools) => freeze(wanted, options, tools)),
    )
}

async function saveMotion(wanted: string, out: string, options: MotionOptions, tools: Tools): Promise<undefined> {
  const folder = resolve(out)
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw new ProblemError('bad-input', `${out}: there is something of that name. Choose a new or empty folder.`, {
      field: 'out',
    })
  const models = await scanModels(tools, options, [wanted, options.motionAdapter])
  const isAdapter = models.some((model) => model.kind === 'motion-adapter' && isNamed(model, wanted))
  const found: Pair = isAdapter
    ? { model: findModel(models, 'motion-adapter', wanted), motionAdapter: null }
    : pairOf(models, wanted, options)
  await tools.engine.call('saveMotionModules', { ...found, out: folder }, { signal: tools.signal })
  console.log(out)
  return undefined
}

async function freeze(wanted: string, options: MotionOptions & { json?: boolean }, tools: Tools): Promise<undefined> {
  const models = await scanModels(tools, options, [wanted, options.motionAdapter])
  const lists = await tools.engine.call('freezeUnet2d', pairOf(models, wanted, options), { signal: tools.signal })
  if (options.json) {
    console.log(JSON.stringify(lists, null, 2))
    return
  }
  const row = (what: string, weights: readonly string[], parameters: number): string[] => [
    what,
    String(weights.length),
    `${(parameters / 1e6).toFixed(2)} M`,
  ]
  const rows = [
    ['', 'WEIGHTS', 'PARAMETERS'],
    row('frozen', lists.frozen, lists.frozenParameters),
    row('trainable', lists.trainable, lists.trainableParameters),
  ]
  console.log(table(rows, { right: [1, 2] }))
}

const isNamed = (model: LocatedModel, wanted: string): boolean =>
  model.id === wanted || model.folder === resolve(wanted) || model.name.toLowerCase() === wanted.toLowerCase()

/** A motion UNet by itself makes no clips, but has all that is asked for here. */
function pairOf(models: readonly LocatedModel[], wanted: string, options: MotionOptions): Pair {
  const alone = models.find((model) => model.className === 'UNetMotionModel' && isNamed(model, wanted))
  return alone ? { model: alone, motionAdapter: null } : findPair({ ...options, model: wanted }, models)
}
