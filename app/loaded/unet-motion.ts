import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { frameWeights, type FreeNoise, type SplitInference } from '#app/contract/long-clips.ts'
import type { IpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import type { ParameterLists } from '#app/contract/parameter-lists.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import type { CompileOptions } from '#app/graph/index.ts'
import { parseConfig } from '#app/models/model.ts'
import { joinedConfig, joinedWeights, parseAdapterConfig } from '#app/models/unet-motion-join.ts'
import type { UNetMotionConfig } from '#app/models/unet-motion-config.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import { adapterConfigOf, checkExchange, checkSavable, isMotionKey, withoutMiddle } from '#app/models/motion-adapter.ts'
import { sizeOf } from '#app/tensor/tensor.ts'
import { LoadedModel } from './loaded-model.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { openAdapter, openModel } from '#app/checkpoints/open-model.ts'
import { withIpAdapter } from './ip-adapter.ts'
import { writeMotionAdapter } from './save-motion.ts'

/** UNetMotionModel with diffusers' own calls. */
export class UNetMotion extends LoadedModel<typeof unetMotionModel> {
  #freeNoise: CompileOptions['freeNoise'] = null
  #splitInference: SplitInference | null = null

  override get options(): CompileOptions {
    return { ...super.options, freeNoise: this.#freeNoise, splitInference: this.#splitInference }
  }

  /**
   * From the next forward on the motion modules look at windows of frames, and a clip may be longer than they can see.
   * Source: diffusers/src/diffusers/pipelines/free_noise_utils.py@58eb52c enable_free_noise.
   */
  enableFreeNoise({ contextLength, contextStride, weightingScheme }: Omit<FreeNoise, 'kind' | 'noiseType'>): void {
    this.#freeNoise = { contextLength, contextStride, weights: frameWeights(contextLength, weightingScheme) }
  }

  disableFreeNoise(): void {
    this.#freeNoise = null
  }

  /**
   * From the next forward on layers see some pixels, or some frames, at a time: less memory, the same numbers. Source:
   * free_noise_utils.py@58eb52c enable_free_noise_split_inference, which like this works without FreeNoise too.
   */
  enableFreeNoiseSplitInference(splitInference: SplitInference): void {
    this.#splitInference = splitInference
  }

  disableFreeNoiseSplitInference(): void {
    this.#splitInference = null
  }

  /**
   * Exchanges the motion modules for those of a MotionAdapter (opened, or its folder or file). The UNet below stays
   * mapped as it is.
   * Source: unet_motion_model.py@58eb52c load_motion_modules. Throws bad-input naming the setting in which the adapter
   * differs.
   */
  async loadMotionModules(adapter: Checkpoint | string): Promise<void> {
    const opened = typeof adapter === 'string' ? await openAdapter(adapter) : adapter
    this.replaceWeights(exchanged(this.config, this.weights, opened))
  }

  /**
   * Adds an IP-Adapter; from then on the forward takes added_cond_kwargs.image_embeds.N for each. Source:
   * diffusers/src/diffusers/loaders/unet.py@58eb52c _load_ip_adapter_weights. Throws bad-input where it was made for
   * another UNet.
   */
  loadIpAdapter(adapter: IpAdapter): void {
    this.replaceWeights(withIpAdapter(this.weights, adapter, this.#ipAdapters++))
  }
  #ipAdapters = 0

  /**
   * Writes the motion modules as a MotionAdapter folder, without the LoRAs on them. Source:
   * unet_motion_model.py@58eb52c save_motion_modules. Errors as of `checkSavable` and `writeMotionAdapter`.
   */
  async saveMotionModules(folder: string, options: { variant?: string } = {}): Promise<void> {
    checkSavable(this.config)
    await writeMotionAdapter(folder, adapterConfigOf(this.config), this.weights, options)
  }

  /**
   * What stays as it is and what may be trained when only the motion is: the UNet's own weights, and those of the
   * motion modules.
   * Source: unet_motion_model.py@58eb52c freeze_unet2d_params. Weights are files that are never written here, so
   * nothing has to be set: the base is one mapping, whatever motion modules are exchanged above it.
   */
  freezeUnet2dParams(): ParameterLists {
    const all = [...this.weights.values()].filter(({ name }) => !name.endsWith('.pos_embed.pe'))
    const [frozen, trainable] = [
      all.filter(({ name }) => !isMotionKey(name)),
      all.filter(({ name }) => isMotionKey(name)),
    ]
    const count = (weights: readonly Weight[]): number => weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    return {
      frozen: frozen.map(({ name }) => name),
      trainable: trainable.map(({ name }) => name),
      frozenParameters: count(frozen),
      trainableParameters: count(trainable),
    }
  }
}

function exchanged(config: UNetMotionConfig, weights: Weights, adapter: Checkpoint): Weights {
  checkExchange(config, parseAdapterConfig(adapter.config))
  return joinedWeights(weights, config.use_motion_mid_block ? adapter.weights : withoutMiddle(adapter.weights))
}

/**
 * Opens a UNetMotionModel folder, or joins a UNet2DConditionModel folder or single-file checkpoint with a MotionAdapter
 * folder or a file of motion modules.
 * Throws bad-model or bad-input naming the key or file that does not fit.
 */
export async function openUNetMotion(
  sessions: SessionCache,
  unetFolder: string,
  adapterFolder?: string,
): Promise<UNetMotion> {
  return joinUNetMotion(
    sessions,
    await openModel(unetFolder),
    adapterFolder === undefined ? undefined : await openAdapter(adapterFolder),
  )
}

export function joinUNetMotion(sessions: SessionCache, unet: Checkpoint, adapter?: Checkpoint): UNetMotion {
  if (!adapter) return new UNetMotion(unetMotionModel, unet.config, unet.weights, sessions)
  if (unet.config._class_name === 'UNetMotionModel') {
    const weights = exchanged(parseConfig(unetMotionModel, unet.config), unet.weights, adapter)
    return new UNetMotion(unetMotionModel, unet.config, weights, sessions)
  }
  const adapterConfig = parseAdapterConfig(adapter.config)
  const weights = joinedWeights(unet.weights, adapter.weights)
  return new UNetMotion(unetMotionModel, joinedConfig(unet.config, adapterConfig), weights, sessions)
}
