import type { ComponentType } from 'react'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { ComputeSection } from '#renderer/parts/compute-section.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft, type Maker } from '#renderer/store/draft.ts'
import { AdvancedSection } from './advanced-section.tsx'
import { ClipSection, PictureSection } from './clip-section.tsx'
import { ImageSection, VideoSection } from './image-section.tsx'
import { FreeUSection } from './freeu-section.tsx'
import { LongClipSection } from './long-clip-section.tsx'
import { MixSection } from './mix-section.tsx'
import { ModelSection } from './model-section.tsx'
import { PixArtSection } from './pixart-section.tsx'
import { PriorSection } from './prior-section.tsx'
import { PromptSection } from './prompt-section.tsx'
import { SamplingSection } from './sampling-section.tsx'
import { SchedulerSection } from './scheduler-section.tsx'
import { XlSection } from './xl-section.tsx'
import { SteeringSection } from './steering-section.tsx'

export type SectionProps = { problems: FieldProblems }

/** What the form is made of. A pipeline names those that it has, in its order. */
export const sections = {
  model: ModelSection,
  prompt: PromptSection,
  mix: MixSection,
  clip: ClipSection,
  steering: SteeringSection,
  longClip: LongClipSection,
  picture: PictureSection,
  image: ImageSection,
  video: VideoSection,
  xl: XlSection,
  sampling: SamplingSection,
  scheduler: SchedulerSection,
  pixart: PixArtSection,
  prior: PriorSection,
  freeu: FreeUSection,
  compute: DraftComputeSection,
  advanced: AdvancedSection,
} as const satisfies Record<string, ComponentType<SectionProps>>

type SectionName = keyof typeof sections

/** Those that a pipeline has, in its order. */
export const sectionsOf = (pipeline: Maker): SectionName[] =>
  pipelineOf(pipeline).sections.filter((name): name is SectionName => Object.hasOwn(sections, name))

/** Those that have effect while a clip is made: where there is room they stand beside the stage, not in the form. */
export const liveSections: ReadonlySet<SectionName> = new Set<SectionName>(['freeu'])

function DraftComputeSection({ problems }: SectionProps) {
  const compute = useDraft((draft) => draft.compute)
  return (
    <ComputeSection compute={compute} problem={problems.compute} onChange={(next) => editDraft({ compute: next })} />
  )
}
