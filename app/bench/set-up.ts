import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeDurably, writeDurably } from '#app/files/durable.ts'

/** What the reference is measured at. */
const requirements = [
  'torch==2.15.0',
  'diffusers==0.42.1',
  'transformers==5.23.0',
  'accelerate==1.15.0',
  'safetensors==0.8.0',
  'numpy==2.4.6',
]

export const referenceScript = resolve(import.meta.dirname, '../../app/bench/reference.py')

/**
 * A Python with the reference implementation, in a virtual environment made once in `cache`. Throws when there is no
 * Python 3.
 */
export async function referencePython(cache: string): Promise<string> {
  const folder = join(cache, 'python')
  const done = join(folder, 'frameloom-requirements.txt')
  const python = join(folder, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']))
  if (existsSync(done)) return python
  const system = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
  if (!system)
    throw new Error('The benchmark races PyTorch, which needs Python 3.10 or newer: install it, or give --python PATH.')
  await rm(folder, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  console.error(`Making a Python with ${requirements.join(', ')} in ${folder}. This happens once.`)
  must(system, ['-m', 'venv', folder])
  must(python, ['-m', 'pip', 'install', '--quiet', ...requirements])
  await writeDurably(done, [Buffer.from(requirements.join('\n'))])
  return python
}

export const hasCheckpoint = (cache: string, name: string): boolean => existsSync(join(cache, name, 'config.json'))

/** The case's checkpoint, made once in `cache`: random weights in the shapes of the published model. */
export async function checkpoint(cache: string, python: string, name: string): Promise<string> {
  const folder = join(cache, name)
  if (hasCheckpoint(cache, name)) return folder
  await mkdir(dirname(folder), { recursive: true })
  console.error(`Making the checkpoint ${folder}. This happens once.`)
  await makeDurably(folder, async (part) => must(python, [referenceScript, 'make', name, part]))
  return folder
}

function must(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}.`)
}
