import { Tabs } from '@base-ui/react/tabs'
import { Group, Panel, Separator, useDefaultLayout } from 'react-resizable-panels'
import { ClassifyForm } from '#renderer/views/classify/classify-form.tsx'
import { ClassifyStage } from '#renderer/views/classify/classify-stage.tsx'
import { LabelsPanel } from '#renderer/views/classify/labels-panel.tsx'
import { ClipInspector } from '#renderer/views/generate/clip-inspector.tsx'
import { FreeUSection } from '#renderer/views/generate/freeu-section.tsx'
import { GenerateForm } from '#renderer/views/generate/generate-form.tsx'
import { GenerateStage } from '#renderer/views/generate/generate-stage.tsx'
import { LibraryStrip } from '#renderer/shell/library/strip.tsx'
import { clipById, useStudio } from '#renderer/store/studio.ts'
import { useView } from '#renderer/store/view.ts'
import { popups } from '#renderer/ui/popups.ts'
import { useMedia } from '#renderer/ui/use-media.ts'

/** Form, stage and inspector side by side over the library. A narrow page has no third column: its content joins the form. */
export function Workspace() {
  const wide = useMedia('(min-width: 1100px)')
  const rows = useDefaultLayout({ id: 'rows', storage: localStorage })
  return (
    <main className="workspace">
      <Group orientation="vertical" {...rows}>
        <Panel id="work" minSize="50%">
          <Tabs.Panel value="generate" className="view" tabIndex={-1}>
            <GenerateView wide={wide} />
          </Tabs.Panel>
          <Tabs.Panel value="classify" className="view" tabIndex={-1}>
            <ClassifyView wide={wide} />
          </Tabs.Panel>
        </Panel>
        <Separator className="divider" data-across="" aria-label="Resize the library" />
        <Panel id="library" defaultSize={100} minSize={100} maxSize="50%" groupResizeBehavior="preserve-pixel-size">
          <LibraryStrip />
        </Panel>
      </Group>
      <div ref={popups} />
    </main>
  )
}

function GenerateView({ wide }: { wide: boolean }) {
  const stage = useView((state) => state.stage)
  const clip = useStudio((state) => (stage.kind === 'clip' ? clipById(state, stage.id) : undefined))
  return (
    <Columns
      id="generate"
      wide={wide}
      form={<GenerateForm>{!wide && <FreeUSection />}</GenerateForm>}
      stage={<GenerateStage />}
      inspector={
        <div className="inspector scroll">
          <FreeUSection />
          {clip && <ClipInspector clip={clip} />}
        </div>
      }
    />
  )
}

function ClassifyView({ wide }: { wide: boolean }) {
  const answering = useView((state) => state.classification !== null)
  return (
    <Columns
      id="classify"
      wide={wide}
      form={<ClassifyForm>{!wide && answering && <LabelsPanel />}</ClassifyForm>}
      stage={<ClassifyStage />}
      inspector={<LabelsPanel />}
    />
  )
}

type ColumnsProps = {
  id: string
  wide: boolean
  form: React.ReactNode
  stage: React.ReactNode
  inspector: React.ReactNode
}

function Columns({ id, wide, form, stage, inspector }: ColumnsProps) {
  const name = `${id}-${wide ? 'wide' : 'narrow'}`
  const columns = useDefaultLayout({ id: name, storage: localStorage })
  return (
    <Group key={name} orientation="horizontal" {...columns}>
      <Panel id="form" defaultSize={316} minSize={272} maxSize={460} groupResizeBehavior="preserve-pixel-size">
        {form}
      </Panel>
      <Separator className="divider" aria-label="Resize the form" />
      <Panel id="stage" minSize={340} className="stage-panel">
        {stage}
      </Panel>
      {wide && <Separator className="divider" aria-label="Resize the inspector" />}
      {wide && (
        <Panel id="inspector" defaultSize={284} minSize={240} maxSize={420} groupResizeBehavior="preserve-pixel-size">
          {inspector}
        </Panel>
      )}
    </Group>
  )
}
