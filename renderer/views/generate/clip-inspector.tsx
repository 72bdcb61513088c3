import { isSchedulerClass, schedulerTable } from '#app/contract/schedulers.ts'
import type { ClipResult } from '#app/contract/results.ts'
import type { FreeU } from '#app/contract/settings.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { attentionLabel } from '#renderer/store/attention.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { bytesText } from '#renderer/ui/format.ts'
import { Section } from '#renderer/ui/section.tsx'

const freeuText = (freeu: FreeU | null): string =>
  freeu ? `b1 ${freeu.b1}, b2 ${freeu.b2}, s1 ${freeu.s1}, s2 ${freeu.s2}` : 'Off'

const schedulerLabel = (name: string): string => (isSchedulerClass(name) ? schedulerTable[name].label : name)

/** The recipe of the clip on the stage. */
export function ClipInspector({ clip }: { clip: ClipResult }) {
  const { settings, model, motionAdapter, loras } = clip.recipe
  const nameOf = (id: string): string => loras.find((lora) => lora.id === id)?.name ?? id
  const facts: [string, string][] = [
    ['Model', model.name],
    ['Motion', motionAdapter?.name ?? 'Inside the model'],
    ...settings.loras.map(({ id, scale }): [string, string] => ['LoRA', `${nameOf(id)}, scale ${scale}`]),
    ...settings.loraChanges.map(({ step, scales }): [string, string] => [
      `Step ${step + 1} on`,
      Object.entries(scales)
        .map(([id, scale]) => `${nameOf(id)} ${scale}`)
        .join(', '),
    ]),
    ['Size', `${clip.width} × ${clip.height}, ${clip.numFrames} frames`],
    ['Length', `${(clip.numFrames / clip.fps).toFixed(2)} s at ${clip.fps} fps`],
    ['Steps', `${settings.numInferenceSteps}, guidance ${settings.guidanceScale}`],
    ['Seed', String(settings.seed)],
    [
      'Scheduler',
      `${settings.scheduler ? schedulerLabel(settings.scheduler) : 'As the checkpoint says'}${settings.eta > 0 ? `, eta ${settings.eta}` : ''}`,
    ],
    ...(settings.betaSchedule ? [['Noise', settings.betaSchedule] as [string, string]] : []),
    ['FreeU', freeuText(settings.freeu)],
    ...settings.freeuChanges.map((change): [string, string] => [`Step ${change.step + 1} on`, freeuText(change.freeu)]),
    ...(settings.clipSkip !== null ? [['CLIP skip', String(settings.clipSkip)] as [string, string]] : []),
    ...(settings.attnProcessor ? [['Attention', attentionLabel(settings.attnProcessor)] as [string, string]] : []),
    ...(settings.fuseQkv ? [['Attention', 'Fused query, key and value'] as [string, string]] : []),
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
