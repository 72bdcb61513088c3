import { Command, CommanderError, Option } from 'commander'
import { namesMaking } from '#app/contract/pipelines.ts'
import { appVersion } from '#main/paths.ts'
import { addAutotune } from './autotune.ts'
import { classify, type ClassifyOptions } from './classify.ts'
import { compare } from './compare.ts'
import { addCompute } from './compute.ts'
import { doctor } from './doctor.ts'
import { exitCodes, exitCodesHelp } from './exit-codes.ts'
import { generate, type GenerateOptions } from './generate.ts'
import { inspect } from './inspect.ts'
import { listModels } from './models.ts'
import { addFreeze, addMotion } from './motion.ts'
import * as parse from './parse.ts'
import { addPipelineOptions } from './pipeline-options.ts'
import { addProcessors } from './processors.ts'
import { addProfile } from './profile.ts'
import { withOwnEngine, type GlobalOptions } from './with-engine.ts'

const makers = namesMaking('clip', 'still', 'embedding')

const collect = (value: string, all: string[]): string[] => [...all, value]

/** Options of every command that opens models. */
const addGlobal = (command: Command): Command =>
  command
    .option('--models <folder>', 'search this folder for checkpoints too (can be given more than once)', collect, [])
    .option(
      '--memory <MiB>',
      'the most that open models may hold (default: half of the memory)',
      parse.integer(256, 1_048_576),
    )
    .option('--threads <n>', 'of the processor, for a model (default: as many as are of use)', parse.integer(1, 1024))
    .option('--verbose', 'show what the engine process says')

/** The whole command line. `withEngine` runs the commands that need an engine. */
export function createProgram(withEngine = withOwnEngine): Command {
  const program = new Command('frameloom')
    .description('Generates and classifies video on your own machine.')
    .version(appVersion(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', `\n${exitCodesHelp}\n\nResults go to standard output, everything else to standard error.`)

  const generateCommand = addCompute(addGlobal(program.command('generate')))
    .description('Make a clip, a still or an embedding from a prompt.')
    .addOption(new Option('--pipeline <name>', 'how it is made').choices(makers).default(makers[0]))
    .requiredOption(
      '-o, --out <path>',
      'where it goes: .mp4, .webm, .gif, .webp, or a folder for PNG frames; a still: .png or .webp; an embedding: .safetensors',
    )
    .option(
      '--model <id>',
      'model of the kind that the pipeline needs, by id, name or folder (default: the first found)',
    )
  addPipelineOptions(generateCommand, makers)
    .addOption(
      new Option('--tuned', 'processors and chunking as "autotune" kept them for this model and size').conflicts([
        'attn',
        'processors',
        'customDiffusion',
        'fuseQkv',
        'chunking',
      ]),
    )
    .addOption(
      new Option('--preset <on|off>', 'weights of few steps are set up as they were published (default: on)').choices([
        'on',
        'off',
      ]),
    )
    .option('--json', 'print what was made as JSON')
    .addHelpText(
      'after',
      `
Examples:
  frameloom generate --prompt "a red circle moving left on a black background" --out clip.mp4
  frameloom generate -p "a fox in the snow" -o fox.webm --model some-org--some-model --size 512x512 --frames 16 --seed 7
  frameloom generate -p "a blue star" -o star.gif --freeu "SD 1.5" --steps 30
  frameloom generate -p "a blue star" -o frames/ --freeu 0.9,0.2,1.5,1.6 --chunking 1,0
  frameloom generate -p "a blue star" -o star.webp --lora night.safetensors:0.8 --attn SlicedAttnProcessor:4
  frameloom generate -p "a blue star" -o star.webp --precision int8
  frameloom generate --pipeline pixart -p "a cactus with a happy face" -o cactus.png --size 1024x768
  frameloom generate --pipeline text-to-embedding -p "a fox" --mix fog.png:0.5 --prompt-weight 0.5 -o fox.safetensors
  frameloom generate --pipeline prior-to-image --prior none -p "" --mix fox.safetensors -o fox.png
  frameloom generate --pipeline image-to-image --image photo.png -p "a watercolour" -o painted.png --strength 0.6`,
    )
    .action((options: GenerateOptions) => withEngine(options, (tools) => generate(options, tools)))

  const classifyCommand = addCompute(addGlobal(program.command('classify')))
    .description('Tell what clips show.')
    .argument('<file...>', 'MP4, WebM, MOV, GIF, WebP ...')
    .option('--model <id>', 'video classifier, by id, name or folder (default: the first found)')
  addPipelineOptions(classifyCommand, ['video-classification'])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  frameloom classify clip.mp4
  frameloom classify *.webm --top 1 --json
  frameloom classify long.mov --sampling windows:4
  frameloom classify *.mp4 --precision int8`,
    )
    .action((files: string[], options: ClassifyOptions) =>
      withEngine(options, (tools) => classify(files, options, tools)),
    )

  addGlobal(program.command('compare'))
    .description('Tell how alike embeddings are: the cosine of each with each, 1 for the same direction.')
    .argument('<file...>', 'embeddings that "generate --pipeline text-to-embedding" made')
    .option('--json', 'print JSON')
    .action((files: string[], options: GlobalOptions & { json?: boolean }) =>
      withEngine(options, (tools) => compare(files, options, tools)),
    )

  addGlobal(program.command('models'))
    .description('List the checkpoints on this machine.')
    .option('--json', 'print JSON')
    .action((options: GlobalOptions & { json?: boolean }) => withEngine(options, (tools) => listModels(options, tools)))

  addProcessors(addGlobal(program.command('processors')), withEngine)
  addProfile(addGlobal(program.command('profile')), withEngine)
  addAutotune(addGlobal(program.command('autotune')), withEngine)

  addMotion(addGlobal(program.command('motion').description('Motion modules.').command('save')), withEngine)
  addFreeze(addGlobal(program.command('freeze')), withEngine)

  addGlobal(program.command('inspect'))
    .description('Tell what a checkpoint holds: architecture, precision, missing and unused weights, hashes.')
    .argument('<path>', 'a model or pipeline folder, a single-file checkpoint, a motion module or a LoRA')
    .option('--json', 'print JSON')
    .action((path: string, options: GlobalOptions & { json?: boolean }) =>
      withEngine(options, (tools) => inspect(path, options, tools)),
    )

  addGlobal(program.command('doctor'))
    .description('Check what this machine has: providers, codecs, memory.')
    .option('--json', 'print JSON')
    .action((options: GlobalOptions & { json?: boolean }) => withEngine(options, (tools) => doctor(options, tools)))

  program
    .command('serve')
    .description('Open the studio in the browser.')
    .option('--port <n>', 'port (default: 8715, or a free one)', parse.integer(0, 65535))
    .option('--host <address>', 'listen on another address than 127.0.0.1: other machines can then try to reach it')
    .option('--no-open', 'do not open the browser')
    .action(async (options: { port?: number; host?: string; open: boolean }) => {
      // The other commands need nothing of it.
      const { runServe } = await import('#main/serve/run-serve.ts')
      await runServe(options)
    })
  return program
}

/** Runs a command line, and sets the exit code. `args` do not begin with the program's name. */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}
