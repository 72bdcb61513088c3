import { parse, relative, resolve, sep } from 'node:path'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { Provider } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { outputPrefix, writeOnnx, type Graph } from '#app/graph/index.ts'
import type { DType, Tensor, TensorData } from '#app/tensor/tensor.ts'
import { ort } from './onnxruntime.ts'

/** A graph ready to run. One call at a time; `run` blocks the thread for as long as the model takes. */
export type Session = {
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

export type SessionOptions = {
  readonly threads: number
  /**
   * Copies every weight into the layout that the products like best: up to a fifth faster with few rows, at the price
   * of the whole model in anonymous memory. Without it, weights stay pages of their file.
   */
  readonly prepack: boolean
  /** Where it runs; the processor without it, and for what a provider has no kernel for. */
  readonly provider?: Provider
  /** Measures each node: `release` writes what it found to a file whose path begins with this. */
  readonly profileTo?: string | undefined
}

/**
 * Opens a session for a graph. Weights are mapped from their files, which must lie on one drive.
 * Throws out-of-memory or internal, naming the model.
 */
export async function openSession(
  graph: Graph,
  { threads, prepack, provider = 'cpu', profileTo }: SessionOptions,
): Promise<Session> {
  const root = driveOf(weightFiles(graph))
  const model = writeOnnx(graph, (file) => relative(root, file).split(sep).join('/'))
  let session: InferenceSession
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // For the processor the compiler's own passes have done it all: onnxruntime's take as long as the rest of opening
      // and change no time (docs/decisions/graph.md, "onnxruntime opens a graph as it comes"). The level above
      // 'extended' re-lays convolution weights out, which copies them.
      graphOptimizationLevel: provider === 'cpu' ? 'disabled' : 'extended',
      logSeverityLevel: 3,
      // The arena takes memory from the C library in few large pieces; its pattern would allocate all of them a second
      // time (docs/decisions/memory.md, "An arena, no memory pattern").
      enableCpuMemArena: true,
      enableMemPattern: false,
      ...(profileTo !== undefined && { enableProfiling: true, profileFilePrefix: profileTo }),
      extra: {
        session: {
          disable_prepacking: prepack ? '0' : '1',
          model_external_initializers_file_folder_path: root,
        },
      },
    })
  } catch (cause) {
    throw asProblem(cause, `${graph.name} could not be loaded`)
  }
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toOrt(tensor)]))
      try {
        const outputs = await session.run(feeds)
        return Object.fromEntries(
          Object.entries(outputs).map(([name, tensor]) => [name.slice(outputPrefix.length), fromOrt(tensor)]),
        )
      } catch (cause) {
        throw asProblem(cause, `${graph.name} failed while it ran`)
      }
    },
    release: () => session.release(),
  }
}

function weightFiles(graph: Graph): string[] {
  const files = new Set<string>()
  for (const known of graph.known.values())
    if ('weight' in known && 'file' in known.weight.source) files.add(resolve(known.weight.source.file))
  return [...files]
}

/**
 * The root of the drive that all files lie on: onnxruntime takes weights by paths below one folder, and looks up each
 * part of that folder's path for each weight.
 */
function driveOf(files: readonly string[]): string {
  const roots = [...new Set(files.map((file) => parse(file).root))]
  if (roots.length > 1)
    throw new ProblemError(
      'unsupported',
      'the model and its motion adapter lie on different drives; put them on one drive',
      { file: files[0]! },
    )
  return roots[0] ?? process.cwd()
}

function toOrt({ dtype, shape, data }: Tensor): OrtTensor {
  return new ort.Tensor(dtype as OrtTensor.Type, data as OrtTensor.DataType, shape)
}

function fromOrt(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as TensorData }
}

function asProblem(cause: unknown, what: string): ProblemError {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (/bad_alloc|failed to allocate|out of memory/i.test(message))
    return new ProblemError(
      'out-of-memory',
      `${what}: there is not enough memory. Choose fewer frames or a smaller size, or turn forward chunking on.`,
      { cause },
    )
  return new ProblemError('internal', `${what}: ${message}`, { cause })
}
