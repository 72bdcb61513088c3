import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DoctorReport } from '#app/contract/system.ts'
import type { CallContext, Handler } from '../call.ts'
import { checkCores, checkMemory, checkSimd } from '../doctor/machine.ts'
import { checkFfmpeg } from '../doctor/programs.ts'
import { checkProvider, onnxruntimeVersion } from '../doctor/provider-check.ts'
import { bundledProviders } from '#app/runtime/providers/compute.ts'
import { scanModels } from './scan-models.ts'

type Check = DoctorReport['checks'][number]

/** What this machine has. `full` also tries the providers other than the CPU, which may take seconds to start. */
export const doctor = (async ({ full }, context) => {
  const checks: Check[] = [
    { name: 'Engine', state: 'ok', detail: `Node ${process.versions.node}, onnxruntime ${onnxruntimeVersion()}` },
    await checkCores(),
    await checkSimd(),
    await checkMemory(),
  ]
  for (const provider of bundledProviders()) {
    context.checkCancelled()
    if (full || provider === 'cpu') checks.push(...(await checkProvider(provider)))
  }
  checks.push(...(await checkFfmpeg()))
  context.checkCancelled()
  checks.push(await checkBundledModels(context))
  return { checks }
}) satisfies Handler<'doctor'>

async function checkBundledModels(context: CallContext): Promise<Check> {
  const name = 'Demo models'
  const folder = join(process.env['FRAMELOOM_RESOURCES'] ?? '', 'demo-models')
  if (!existsSync(folder)) return { name, state: 'missing', detail: `${folder} does not exist` }
  const { models } = await scanModels({ roots: [{ folder, source: 'bundled' }] }, context)
  const broken = models.filter((model) => model.problem)
  if (broken.length > 0)
    return { name, state: 'warning', detail: broken.map((model) => model.problem?.message).join('; ') }
  return models.length === 0
    ? { name, state: 'missing', detail: `none in ${folder}` }
    : { name, state: 'ok', detail: models.map((model) => model.name).join(', ') }
}
