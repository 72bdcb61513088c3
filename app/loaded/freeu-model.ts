import type { FreeU } from '#app/contract/settings.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from './loaded-model.ts'

const off: FreeU = { s1: 1, s2: 1, b1: 1, b2: 1 }

/** A UNet with FreeU. Its factors are inputs of the graph: changing them compiles and loads nothing. */
export class FreeUModel<Config> extends LoadedModel<Config> {
  #freeu = off

  /** Source: unet_motion_model.py@58eb52c enable_freeu. A factor of 0 means 0, not "off". */
  enableFreeu(freeu: FreeU): void {
    this.#freeu = freeu
  }

  disableFreeu(): void {
    this.#freeu = off
  }

  override withDefaults(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const { s1, s2, b1, b2 } = this.#freeu
    return { ...inputs, freeu: float32([4], [s1, s2, b1, b2]) }
  }
}
