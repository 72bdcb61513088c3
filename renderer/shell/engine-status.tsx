import { Popover } from '@base-ui/react/popover'
import type { EngineStatus as Status } from '#app/contract/system.ts'
import { CommandButton } from '#renderer/parts/commands.tsx'
import { engineWords } from '#renderer/parts/engine-words.ts'
import { isRunning, useStudio } from '#renderer/store/studio.ts'
import { openDialog } from '#renderer/store/view.ts'
import { popups } from '#renderer/ui/popups.ts'
import { Button } from '#renderer/ui/button.tsx'
import { bytesText } from '#renderer/ui/format.ts'

/** The engine's health in the top bar; a click tells the rest. */
export function EngineStatus() {
  const engine = useStudio((state) => state.engine)
  const busy = useStudio((state) => state.jobs.some(isRunning))
  const connected = useStudio((state) => state.connection === 'open')
  if (!engine) return null
  const word = !connected ? 'No host' : engine.state === 'ready' && busy ? 'Working' : engineWords[engine.state]
  const share = Math.min(1, engine.memory.usedBytes / Math.max(1, engine.memory.budgetBytes))
  return (
    <Popover.Root>
      <Popover.Trigger
        render={<Button variant="ghost" className="engine" aria-label={`Engine: ${word}. ${memoryWords(engine)}`} />}
      >
        <i
          className="engine-dot"
          data-state={connected ? engine.state : 'stopped'}
          data-busy={(connected && busy) || undefined}
        />
        {word}
        <span className="engine-meter" aria-hidden="true">
          <i style={{ width: `${share * 100}%` }} />
        </span>
        <span className="engine-memory">{bytesText(engine.memory.usedBytes)}</span>
      </Popover.Trigger>
      <Popover.Portal container={popups}>
        <Popover.Positioner className="popup-positioner" sideOffset={6} align="end">
          <Popover.Popup className="popup engine-popup">
            <Popover.Title className="engine-title">Engine</Popover.Title>
            <EngineDetail engine={engine} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const memoryWords = (engine: Status): string =>
  `${bytesText(engine.memory.usedBytes)} of ${bytesText(engine.memory.budgetBytes)} in use`

function EngineDetail({ engine }: { engine: Status }) {
  const facts: [string, string][] = [
    ['Runs on', engine.provider || 'not known yet'],
    ['Sessions hold', memoryWords(engine)],
    [
      'Process',
      `${bytesText(engine.memory.residentBytes)}, ${bytesText(engine.memory.anonymousBytes)} of it not from files`,
    ],
    ['Weights read', bytesText(engine.bytesMapped)],
    ['Compiled', `${engine.compilations} graphs since its start`],
    ...(engine.recentCrashes > 0 ? [['Crashes', `${engine.recentCrashes} in five minutes`] as [string, string]] : []),
  ]
  return (
    <>
      {engine.problem && <p className="engine-problem">{engine.problem.message}</p>}
      <dl className="recipe">
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {engine.sessions.length > 0 && (
        <ul className="engine-sessions">
          {engine.sessions.map((session, i) => (
            <li key={i}>
              <span>{session.label}</span>
              <span className="muted">{bytesText(session.bytes)}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="recipe-actions">
        <Button size="small" onClick={() => openDialog({ kind: 'settings', tab: 'engine' })}>
          Memory budget
        </Button>
        <CommandButton command="restart" size="small">
          Restart
        </CommandButton>
      </div>
    </>
  )
}
