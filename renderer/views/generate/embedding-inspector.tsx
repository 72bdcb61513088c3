import type { MixItem } from '#app/contract/mix.ts'
import { itemsOf } from '#app/contract/pipelines/prior.ts'
import type { EmbeddingResult } from '#app/contract/results.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { bytesText } from '#renderer/ui/format.ts'
import { Section } from '#renderer/ui/section.tsx'

const nameOf = (item: MixItem): string => (item.kind === 'text' ? `“${item.text}”` : (item.media?.name ?? ''))

/** The recipe of the embedding on the stage. */
export function EmbeddingInspector({ embedding }: { embedding: EmbeddingResult }) {
  const { settings, models } = embedding.recipe
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['Prior', models.model?.[0]?.name ?? settings.model],
    ...itemsOf(settings).map((item) => ['Mixed', `${nameOf(item)}, weight ${item.weight}`] as const),
    ['Steps', `${settings.priorSteps}, guidance ${settings.priorGuidanceScale}`],
    ['Seed', String(settings.seed)],
    ['Compute', computeLabel(settings.compute)],
    ['File', `${bytesText(embedding.bytes)}, safetensors`],
    ['Made', new Date(embedding.createdAt).toLocaleString()],
  ]
  return (
    <Section title="Recipe">
      {settings.negativePrompt && <p className="muted">Not: {settings.negativePrompt}</p>}
      <dl className="recipe">
        {facts.map(([name, value]) => (
          <div key={`${name} ${value}`} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}
