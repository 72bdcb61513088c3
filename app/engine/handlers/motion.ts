import { join } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { parseAdapterConfig } from '#app/models/unet-motion-join.ts'
import type { Handler } from '../call.ts'
import { isFile, openAdapter, openModel } from '#app/checkpoints/open-model.ts'
import { writeMotionAdapter } from '#app/loaded/save-motion.ts'
import { joinUNetMotion, type UNetMotion } from '#app/loaded/unet-motion.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** A model's motion UNet, from the headers of its files alone. */
async function openMotion(
  sessions: SessionCache,
  model: LocatedModel,
  motionAdapter: LocatedModel | null,
): Promise<UNetMotion> {
  const { folder, className } = model
  const unet = await openModel(isFile(folder) || className === 'UNetMotionModel' ? folder : join(folder, 'unet'))
  if (!motionAdapter && unet.config._class_name !== 'UNetMotionModel')
    throw new ProblemError('bad-input', `${model.name} makes stills: it has no motion modules of its own.`, {
      field: 'motionAdapter',
    })
  return joinUNetMotion(sessions, unet, motionAdapter ? await openAdapter(motionAdapter.folder) : undefined)
}

/** What stays and what may be trained when only the motion is. */
export const freezeHandler =
  (sessions: SessionCache): Handler<'freezeUnet2d'> =>
  async ({ model, motionAdapter }) =>
    (await openMotion(sessions, model, motionAdapter)).freezeUnet2dParams()

/** Writes the motion modules of a model, or of an adapter of any layout, as a MotionAdapter folder. */
export const saveMotionHandler =
  (sessions: SessionCache): Handler<'saveMotionModules'> =>
  async ({ model, motionAdapter, out }) => {
    if (model.kind === 'motion-adapter') {
      const { config, weights } = await openAdapter(model.folder)
      const parsed = parseAdapterConfig(config)
      await writeMotionAdapter(out, { _class_name: 'MotionAdapter', ...parsed, conv_in_channels: null }, weights)
    } else await (await openMotion(sessions, model, motionAdapter)).saveMotionModules(out)
    return null
  }
