import { Tabs } from '@base-ui/react/tabs'
import { Group, Panel, Separator, useDefaultLayout } from 'react-resizable-panels'
import { viewIds, type ViewId } from '#app/contract/views.ts'
import { Boundary } from '#renderer/parts/boundary.tsx'
import { usePlace } from '#renderer/store/view.ts'
import { views } from '#renderer/views/views.ts'
import { layoutStorage } from '#renderer/store/kept.ts'
import { LibraryStrip } from './library/strip.tsx'
import { popups } from '#renderer/ui/popups.ts'
import { useMedia, widePage } from '#renderer/ui/use-media.ts'

/**
 * Form, stage and inspector side by side over the library. A narrow page has no third column: its content joins the
 * form.
 */
export function Workspace() {
  const wide = useMedia(widePage)
  const rows = useDefaultLayout({ id: 'rows', storage: layoutStorage })
  return (
    <main className="workspace">
      <Group orientation="vertical" {...rows}>
        <Panel id="work" minSize="50%">
          {viewIds.map((id) => (
            <Tabs.Panel key={id} value={id} className="view" tabIndex={-1}>
              <Columns view={id} wide={wide} />
            </Tabs.Panel>
          ))}
        </Panel>
        <Separator className="divider" data-across="" aria-label="Resize the library" />
        <Panel id="library" defaultSize={100} minSize={100} maxSize="50%" groupResizeBehavior="preserve-pixel-size">
          <Boundary what="The library">
            <LibraryStrip />
          </Boundary>
        </Panel>
      </Group>
      <div ref={popups} />
    </main>
  )
}

function Columns({ view, wide }: { view: ViewId; wide: boolean }) {
  const { Form, Stage, Inspector } = views[view]
  const name = `${view}-${wide ? 'wide' : 'narrow'}`
  const { shown } = usePlace(view)
  const columns = useDefaultLayout({ id: name, storage: layoutStorage })
  return (
    <Group key={name} orientation="horizontal" {...columns}>
      <Panel id="form" defaultSize={316} minSize={272} maxSize={460} groupResizeBehavior="preserve-pixel-size">
        <Boundary what="The form">
          <Form wide={wide} />
        </Boundary>
      </Panel>
      <Separator className="divider" aria-label="Resize the form" />
      <Panel id="stage" minSize={340} className="stage-panel">
        <Boundary what="The stage" about={shown}>
          <Stage />
        </Boundary>
      </Panel>
      {wide && <Separator className="divider" aria-label="Resize the inspector" />}
      {wide && (
        <Panel id="inspector" defaultSize={284} minSize={240} maxSize={420} groupResizeBehavior="preserve-pixel-size">
          <Boundary what="The panel beside the stage" about={shown}>
            <Inspector />
          </Boundary>
        </Panel>
      )}
    </Group>
  )
}
