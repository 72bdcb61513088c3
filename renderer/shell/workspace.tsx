import { Tabs } from '@base-ui/react/tabs'
import { Group, Panel, Separator, useDefaultLayout } from 'react-resizable-panels'
import { viewIds, type ViewId } from '#app/contract/views.ts'
import { views } from '#renderer/views/views.ts'
import { LibraryStrip } from './library/strip.tsx'
import { popups } from '#renderer/ui/popups.ts'
import { useMedia } from '#renderer/ui/use-media.ts'

/**
 * Form, stage and inspector side by side over the library. A narrow page has no third column: its content joins the
 * form.
 */
export function Workspace() {
  const wide = useMedia('(min-width: 1100px)')
  const rows = useDefaultLayout({ id: 'rows', storage: localStorage })
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
          <LibraryStrip />
        </Panel>
      </Group>
      <div ref={popups} />
    </main>
  )
}

function Columns({ view, wide }: { view: ViewId; wide: boolean }) {
  const { Form, Stage, Inspector } = views[view]
  const name = `${view}-${wide ? 'wide' : 'narrow'}`
  const columns = useDefaultLayout({ id: name, storage: localStorage })
  return (
    <Group key={name} orientation="horizontal" {...columns}>
      <Panel id="form" defaultSize={316} minSize={272} maxSize={460} groupResizeBehavior="preserve-pixel-size">
        <Form wide={wide} />
      </Panel>
      <Separator className="divider" aria-label="Resize the form" />
      <Panel id="stage" minSize={340} className="stage-panel">
        <Stage />
      </Panel>
      {wide && <Separator className="divider" aria-label="Resize the inspector" />}
      {wide && (
        <Panel id="inspector" defaultSize={284} minSize={240} maxSize={420} groupResizeBehavior="preserve-pixel-size">
          <Inspector />
        </Panel>
      )}
    </Group>
  )
}
