import { extname } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { withFile } from './file.ts'
import { identify, identifyBytes } from './identify.ts'
import { readPytorch } from './pytorch.ts'
import { readSafetensors } from './safetensors.ts'
import type { Weights } from './weights.ts'

const pytorchExtensions = ['.bin', '.ckpt', '.pt', '.pth']

/**
 * Opens one weights file by its extension: .safetensors, or a PyTorch zip (.bin, .ckpt, .pt, .pth). Errors as of the
 * two readers; another file is named for what it is.
 */
export async function openWeightsFile(path: string): Promise<{ weights: Weights; metadata: Record<string, string> }> {
  const extension = extname(path).toLowerCase()
  if (extension === '.safetensors') return readSafetensors(path)
  if (pytorchExtensions.includes(extension)) return readPytorch(path)
  const kind = await withFile(path, async (file) =>
    identify(await file.read(0, Math.min(file.size, identifyBytes)), file.size),
  )
  throw new ProblemError(
    'bad-model',
    kind === undefined
      ? `${path} has not the extension of a weights file (.safetensors, ${pytorchExtensions.join(', ')}).`
      : `${path} is ${kind}.`,
    { file: path },
  )
}
