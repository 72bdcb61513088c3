import type { Handler } from '../call.ts'
import { autotune } from '#app/profile/autotune.ts'
import { profileModel } from '#app/profile/profile-model.ts'
import { openSubject } from '#app/profile/subject.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

const readingShare = 0.1

/** Tells what each block and layer of a model costs. */
export const profileHandler = (sessions: SessionCache): Handler<'profile'> =>
  async function* ({ model, motionAdapter, settings }, context) {
    yield { type: 'stage', stage: 'Reading the model', progress: 0 }
    const subject = await openSubject(sessions, model, motionAdapter, settings)
    subject.model.computeWith(settings.compute, reportQuantizing(context, readingShare))
    yield { type: 'stage', stage: 'Running the model', progress: readingShare }
    return profileModel(sessions, subject, settings, context.checkCancelled)
  }

/** Proposes processors and chunking for a model on this machine. */
export const autotuneHandler = (sessions: SessionCache): Handler<'autotune'> =>
  async function* ({ model, motionAdapter, settings }, context) {
    yield { type: 'stage', stage: 'Reading the model', progress: 0 }
    const subject = await openSubject(sessions, model, motionAdapter, settings)
    subject.model.computeWith(settings.compute, reportQuantizing(context, 0))
    const tuning = autotune(sessions, subject, settings, context.checkCancelled)
    let next = await tuning.next()
    while (!next.done) {
      yield { type: 'stage', ...next.value }
      next = await tuning.next()
    }
    return next.value
  }
