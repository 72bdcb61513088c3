import type { PictureResult } from '#app/contract/results.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { recipeFacts } from './recipe-facts.ts'
import { RecipeList } from './recipe-list.tsx'

/** The recipe of the clip or still on the stage. */
export function ClipInspector({ clip }: { clip: PictureResult }) {
  const { prompt, negativePrompt }: { prompt: string; negativePrompt?: string } = clip.recipe.settings
  return (
    <Section title="Recipe">
      <p className="recipe-prompt">{prompt || <span className="muted">No prompt</span>}</p>
      {negativePrompt && <p className="muted">Not: {negativePrompt}</p>}
      <RecipeList facts={recipeFacts(clip)} />
      <div className="recipe-actions">
        <CommandButton command="reuse" iconSize={13} />
      </div>
    </Section>
  )
}
