import { RotateCcw } from 'lucide-react'
import type { EmbeddingResult } from '#app/contract/results.ts'
import { restoreSettings } from '#renderer/actions/restore.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { Button } from '#renderer/ui/button.tsx'
import { bytesText } from '#renderer/ui/format.ts'
import { Section } from '#renderer/ui/section.tsx'
import { mixFacts, type Fact } from './recipe-facts.ts'
import { RecipeList } from './recipe-list.tsx'

/** The recipe of the embedding on the stage. */
export function EmbeddingInspector({ embedding }: { embedding: EmbeddingResult }) {
  const { settings, models } = embedding.recipe
  const facts: readonly Fact[] = [
    ['Prior', models.model?.[0]?.name ?? settings.model],
    ...mixFacts(settings),
    ['Steps', `${settings.priorSteps}, guidance ${settings.priorGuidanceScale}`],
    ['Seed', String(settings.seed)],
    ['Compute', computeLabel(settings.compute)],
    ['File', `${bytesText(embedding.bytes)}, safetensors`],
    ['Made', new Date(embedding.createdAt).toLocaleString()],
  ]
  return (
    <Section title="Recipe">
      {settings.negativePrompt && <p className="muted">Not: {settings.negativePrompt}</p>}
      <RecipeList facts={facts} />
      <div className="recipe-actions">
        <Button onClick={() => restoreSettings(embedding)}>
          <RotateCcw size={13} aria-hidden="true" />
          Use these settings
        </Button>
      </div>
    </Section>
  )
}
