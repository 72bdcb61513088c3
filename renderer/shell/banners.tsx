import { PlugZap, TriangleAlert } from 'lucide-react'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { useStudio } from '#renderer/store/studio.ts'

/** What concerns the whole page: the host is gone, or the engine is. */
export function Banners() {
  const connection = useStudio((state) => state.connection)
  const engine = useStudio((state) => state.engine)
  if (connection === 'lost')
    return (
      <div className="banner" data-tone="problem" role="alert">
        <PlugZap size={15} aria-hidden="true" />
        <p>
          <b>The studio has lost its host.</b> It is trying to connect again. If Frameloom was closed or started anew,
          open it again from there.
        </p>
      </div>
    )
  if (engine?.state === 'stopped')
    return (
      <div className="banner" data-tone="problem" role="alert">
        <TriangleAlert size={15} aria-hidden="true" />
        <p>
          <b>The engine has stopped.</b> {engine.problem?.message ?? 'Clips cannot be made until it runs again.'}
        </p>
        <CommandButton command="restart" size="small" />
      </div>
    )
  if (engine?.state === 'restarting')
    return (
      <div className="banner" role="status">
        <TriangleAlert size={15} aria-hidden="true" />
        <p>
          <b>The engine ended unexpectedly and is starting again.</b>{' '}
          {engine.problem?.message ?? 'Your library and settings are safe.'}
        </p>
      </div>
    )
  return null
}
