import { ProblemError } from '#app/contract/errors.ts'
import { type OpenFile, type Refuse, withFile } from './file.ts'
import { identify, identifyBytes } from './identify.ts'
import { checkLayout, parseHeader } from './safetensors-header.ts'
import type { Weight, Weights } from './weights.ts'

/** The largest header that the format allows (MAX_HEADER_SIZE of the safetensors crate). */
const largestHeader = 100_000_000

/**
 * Opens a .safetensors file: reads its header only, and leaves the tensors' bytes where they are.
 * Throws `bad-model` naming the file, the rule of the format and the tensor; or what the file really is, when it is
 * none.
 */
export function readSafetensors(path: string): Promise<{ weights: Weights; metadata: Record<string, string> }> {
  return withFile(path, async (file) => {
    const refuse: Refuse = (reason) => {
      throw new ProblemError('bad-model', `${path}: bad safetensors header: ${reason}.`, { file: path })
    }
    const length = await headerLength(file, path, refuse)
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.read(8, length))
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause
      return refuse('it is not valid UTF-8')
    }
    const { tensors, metadata } = parseHeader(text, refuse)
    const dataStart = 8 + length
    checkLayout(tensors, file.size - dataStart, refuse)
    const weights = new Map<string, Weight>()
    for (const { name, dtype, shape, begin, end } of tensors)
      weights.set(name, {
        name,
        dtype,
        shape,
        source: { file: file.path, offset: dataStart + begin, length: end - begin },
      })
    return { weights, metadata }
  })
}

/**
 * The header's length in bytes, checked against the file; a file that cannot be safetensors is named for what it is.
 */
async function headerLength(file: OpenFile, path: string, refuse: Refuse): Promise<number> {
  const head = await file.read(0, Math.min(file.size, identifyBytes))
  const length = file.size < 8 ? 0n : new DataView(head.buffer).getBigUint64(0, true)
  if (head[8] !== 0x7b || length > largestHeader || length > file.size - 8) {
    const kind = identify(head, file.size)
    if (kind) throw new ProblemError('bad-model', `${path} has no safetensors header: this is ${kind}.`, { file: path })
  }
  if (file.size < 8) refuse(`the file has only ${file.size} bytes and ends before it. Download it again`)
  if (length > largestHeader)
    refuse(
      `its length is given as ${length} bytes, beyond the format's ${largestHeader}: this is no safetensors file, or damaged`,
    )
  if (length > file.size - 8)
    refuse(`it is ${length} bytes long but the file ends after ${file.size}: it is cut short. Download it again`)
  return Number(length)
}
