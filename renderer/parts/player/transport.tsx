import { Pause } from 'lucide-react'
import { CommandIconButton } from '#renderer/parts/commands.tsx'
import { playerStore, speeds, usePlayer, zooms } from '#renderer/store/player.ts'
import { Select } from '#renderer/ui/select.tsx'

const speedChoices = speeds.map((value) => ({ value, label: `${value}×` }))
const zoomChoices = [
  { value: 'fit' as const, label: 'Fit' },
  ...zooms.map((value) => ({ value, label: `${value * 100} %` })),
]

export function Transport() {
  const { playing, frame, count, fps, speed, loop, zoom, smooth } = usePlayer((state) => state)
  const idle = count < 2
  return (
    <div className="transport" role="group" aria-label="Player">
      <div className="transport-side">
        <output className="transport-count" aria-label="Position">
          <b>{count ? frame + 1 : 0}</b> / {count}
        </output>
        <span className="transport-time">
          {(count ? frame / fps : 0).toFixed(2)} s <span className="transport-fps">at {fps} fps</span>
        </span>
      </div>
      <div className="transport-keys">
        <CommandIconButton command="loop" aria-pressed={loop} data-pressed={loop || undefined} />
        <CommandIconButton command="back" disabled={idle} />
        <CommandIconButton
          command="play"
          label={playing ? 'Pause' : 'Play'}
          {...(playing && { icon: Pause })}
          iconSize={16}
          className="transport-play"
          disabled={idle}
        />
        <CommandIconButton command="forward" disabled={idle} />
        <CommandIconButton command="pixels" aria-pressed={!smooth} data-pressed={!smooth || undefined} />
      </div>
      <div className="transport-side" data-end="">
        <div className="transport-select">
          <Select
            label="Speed"
            value={speed}
            choices={speedChoices}
            onChange={(value) => playerStore.setState({ speed: value })}
          />
        </div>
        <div className="transport-select">
          <Select
            label="Zoom"
            value={zoom}
            choices={zoomChoices}
            onChange={(value) => playerStore.setState({ zoom: value })}
          />
        </div>
      </div>
    </div>
  )
}
