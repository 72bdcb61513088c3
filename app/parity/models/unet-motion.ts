import { openUNetMotion } from '#app/loaded/unet-motion.ts'
import { locate } from '../case.ts'
import { apply } from './calls.ts'
import { withTimestep, type Runner } from './runner.ts'

export const runUNetMotion: Runner = async (place, spec, inputs) => {
  const { start, sessions } = place
  const adapter = spec.setup.find(({ call }) => call === 'load_motion_modules')
  const unet = await openUNetMotion(
    sessions,
    locate(start, spec.checkpoint),
    adapter && locate(start, String(adapter.args.adapter)),
  )
  for (const step of spec.setup) if (step !== adapter) await apply(start, unet, step)
  return unet.forward(withTimestep(spec, inputs))
}
