import { pipelineOf } from '#app/contract/pipelines.ts'
import type { ModelKind } from '#app/contract/models.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Section } from '#renderer/ui/section.tsx'
import { ControlNets } from './control-net-rows.tsx'
import { IpAdapters } from './ip-adapter-rows.tsx'
import { SparseControlRows } from './sparse-control-rows.tsx'

/** Pictures and clips that steer a run beside the prompt, where there are models that read them. */
export function SteeringSection({ problems }: { problems: FieldProblems }) {
  const models = useStudio((state) => state.models)
  const has = (kind: ModelKind): boolean => modelsFor(models, kind).length > 0
  const { controlNets, sparseControl, ipAdapters, pipeline } = useDraft((draft) => draft)
  const makesClips = 'sparseControl' in pipelineOf(pipeline).settings.shape
  const [nets, sparse, adapters] = [
    has('controlnet') || controlNets.length > 0,
    makesClips && (has('sparse-controlnet') || sparseControl !== null),
    has('ip-adapter') || ipAdapters.length > 0,
  ]
  if (!nets && !sparse && !adapters) return null
  return (
    <Section title="Steered by">
      {nets && <ControlNets problems={problems} />}
      {sparse && <SparseControlRows problems={problems} />}
      {adapters && <IpAdapters problems={problems} />}
    </Section>
  )
}
