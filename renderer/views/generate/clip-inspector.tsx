import { pipelineOf } from '#app/contract/pipelines.ts'
import { allFields, type Fields } from '#app/contract/pipelines/fields.ts'
import { mediaOf } from '#app/contract/pipelines/pipeline.ts'
import { isSchedulerClass, schedulerTable } from '#app/contract/schedulers.ts'
import type { PictureResult } from '#app/contract/results.ts'
import type { FreeU } from '#app/contract/settings.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { attentionLabel } from '#renderer/store/attention.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { bytesText } from '#renderer/ui/format.ts'
import { Section } from '#renderer/ui/section.tsx'
import { scheduleInWords } from './scheduler-settings.ts'

const freeuText = (freeu: FreeU | null): string =>
  freeu ? `b1 ${freeu.b1}, b2 ${freeu.b2}, s1 ${freeu.s1}, s2 ${freeu.s2}` : 'Off'

const schedulerLabel = (name: string): string => (isSchedulerClass(name) ? schedulerTable[name].label : name)

type Fact = [name: string, value: string]
const only = (when: boolean, fact: Fact): Fact[] => (when ? [fact] : [])

/** The recipe of the clip or still on the stage. */
export function ClipInspector({ clip }: { clip: PictureResult }) {
  const { settings: given, models } = clip.recipe
  const own: Partial<Fields> = given
  const settings = allFields(given)
  const [model, adapter] = [models.model?.[0], models.motionAdapter?.[0]]
  const nameOf = (id: string): string => models.loras?.find((lora) => lora.id === id)?.name ?? id
  const moves = clip.kind === 'clip'
  const facts: Fact[] = [
    ['Model', model?.name ?? settings.model],
    ...only(moves, ['Motion', adapter?.name ?? 'Inside the model']),
    ...(models.textEncoder ?? []).map(({ name }): Fact => ['Text encoder', name]),
    ...(models.vae ?? []).map(({ name }): Fact => ['VAE', name]),
    ...settings.loras.map(({ id, scale }): Fact => ['LoRA', `${nameOf(id)}, scale ${scale}`]),
    ...settings.loraChanges.map(({ step, scales }): Fact => [
      `Step ${step + 1} on`,
      Object.entries(scales)
        .map(([id, scale]) => `${nameOf(id)} ${scale}`)
        .join(', '),
    ]),
    ...(models.prior ?? []).map(({ name }): Fact => ['Prior', name]),
    ...Object.values(mediaOf(pipelineOf(clip.recipe.pipeline), given))
      .flat()
      .map(({ name }): Fact => ['Made from', name]),
    ...only(own.image != null, ['Strength', String(settings.strength)]),
    ['Size', `${clip.width} × ${clip.height}${moves ? `, ${clip.numFrames} frames` : ''}`],
    ...only(moves, ['Length', `${(clip.numFrames / clip.fps).toFixed(2)} s at ${clip.fps} fps`]),
    [
      'Steps',
      `${own.timesteps ? `at ${own.timesteps.join(', ')}` : settings.numInferenceSteps}, guidance ${settings.guidanceScale}`,
    ],
    ...only(own.useResolutionBinning === false, ['Binning', 'Off']),
    ...only(own.cleanCaption === false, ['Prompt', 'As written']),
    ['Seed', String(settings.seed)],
    ...only('priorSteps' in own, ['Prior steps', `${settings.priorSteps}, guidance ${settings.priorGuidanceScale}`]),
    ...only('scheduler' in own, [
      'Scheduler',
      `${settings.scheduler ? schedulerLabel(settings.scheduler) : 'As the checkpoint says'}${settings.eta > 0 ? `, eta ${settings.eta}` : ''}`,
    ]),
    ...scheduleInWords(settings.schedulerConfig),
    ...only((own.guidanceRescale ?? 0) > 0, ['Rescale', String(own.guidanceRescale)]),
    ...(own.freeu === undefined ? [] : [['FreeU', freeuText(own.freeu)] as Fact]),
    ...(own.freeuChanges ?? []).map((change): Fact => [`Step ${change.step + 1} on`, freeuText(change.freeu)]),
    ...only(own.clipSkip != null, ['CLIP skip', String(own.clipSkip)]),
    ...(settings.attnProcessor ? [['Attention', attentionLabel(settings.attnProcessor)] as Fact] : []),
    ...only(settings.fuseQkv, ['Attention', 'Fused query, key and value']),
    ['Compute', computeLabel(settings.compute)],
    ['File', `${bytesText(clip.bytes)}, lossless WebP`],
    ['Made', new Date(clip.createdAt).toLocaleString()],
  ]
  return (
    <Section title="Recipe">
      <p className="recipe-prompt">{settings.prompt || <span className="muted">No prompt</span>}</p>
      {settings.negativePrompt && <p className="muted">Not: {settings.negativePrompt}</p>}
      <dl className="recipe">
        {facts.map(([name, value]) => (
          <div key={`${name} ${value}`} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className="recipe-actions">
        <CommandButton command="reuse" iconSize={13} />
      </div>
    </Section>
  )
}
