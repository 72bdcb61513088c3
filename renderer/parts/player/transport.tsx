import { Grid2x2, Pause, Play, Repeat, StepBack, StepForward } from 'lucide-react'
import { playerStore, speeds, stepFrame, togglePlaying, usePlayer, zooms } from '#renderer/store/player.ts'
import { IconButton } from '#renderer/ui/button.tsx'
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
        <IconButton
          label="Loop"
          shortcut="L"
          aria-pressed={loop}
          data-pressed={loop || undefined}
          onClick={() => playerStore.setState({ loop: !loop })}
        >
          <Repeat size={15} aria-hidden="true" />
        </IconButton>
        <IconButton label="Previous frame" shortcut="ArrowLeft" disabled={idle} onClick={() => stepFrame(-1)}>
          <StepBack size={15} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={playing ? 'Pause' : 'Play'}
          shortcut="Space"
          className="transport-play"
          disabled={idle}
          onClick={togglePlaying}
        >
          {playing ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
        </IconButton>
        <IconButton label="Next frame" shortcut="ArrowRight" disabled={idle} onClick={() => stepFrame(1)}>
          <StepForward size={15} aria-hidden="true" />
        </IconButton>
        <IconButton
          label="Show hard pixels"
          shortcut="P"
          aria-pressed={!smooth}
          data-pressed={!smooth || undefined}
          onClick={() => playerStore.setState({ smooth: !smooth })}
        >
          <Grid2x2 size={15} aria-hidden="true" />
        </IconButton>
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
