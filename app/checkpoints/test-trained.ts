import { float32, type Shape, type Tensor } from '../tensor/tensor.ts'
import { readSafetensors } from './safetensors.ts'
import { writeSafetensors } from './write.ts'

/** Values that are neither regular nor random. */
const values = (shape: Shape, size: number): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return float32(
    shape,
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + count) * size),
  )
}

/** Paths and shapes (out, in) of the layers of a UNet's file whose names match. */
async function layersOf(unetFile: string, pattern: RegExp): Promise<[path: string, out: number, inner: number][]> {
  const { weights } = await readSafetensors(unetFile)
  return [...weights]
    .filter(([key]) => pattern.test(key) && key.endsWith('.weight'))
    .map(([key, { shape }]) => [key.slice(0, -'.weight'.length), shape[0]!, shape[1]!])
}

/** Writes a LoRA in PEFT's layout that fits a UNet's file and changes what it draws. */
export async function writeTestLora(unetFile: string, out: string, size = 0.5): Promise<void> {
  const tensors: Record<string, Tensor> = {}
  for (const [path, rows, columns] of await layersOf(unetFile, /attn[12]\.to_[qv]/)) {
    tensors[`unet.${path}.lora_A.weight`] = values([4, columns], size)
    tensors[`unet.${path}.lora_B.weight`] = values([rows, 4], size)
  }
  await writeSafetensors(out, tensors)
}
