import { Slider as Base } from '@base-ui/react/slider'

type SliderProps = {
  label: string
  value: number
  onChange: (value: number) => void
  /** When the thumb rests. */
  onCommit?: (value: number) => void
  min: number
  max: number
  step: number
  /** A value to be found again: a tick stands over it. */
  mark?: number | undefined
  tone?: 'plain' | 'warp' | undefined
  disabled?: boolean | undefined
}

/** Values beyond `max` are allowed in the field beside it; the thumb then stands at the end. */
export function Slider({ label, value, onChange, onCommit, min, max, step, mark, tone, disabled }: SliderProps) {
  return (
    <Base.Root
      className="slider"
      data-tone={tone}
      value={Math.min(max, Math.max(min, value))}
      onValueChange={onChange}
      {...(onCommit && { onValueCommitted: onCommit })}
      min={min}
      max={max}
      step={step}
      disabled={disabled ?? false}
      thumbAlignment="edge"
    >
      <Base.Control className="slider-control">
        {mark !== undefined && (
          // The thumb stays inside the track's ends, so the tick does too.
          <i
            className="slider-mark"
            style={{ left: `calc(9.5px + (100% - 19px) * ${(mark - min) / (max - min)} - 0.5px)` }}
          />
        )}
        <Base.Track className="slider-track">
          <Base.Indicator className="slider-indicator" />
          <Base.Thumb className="slider-thumb" aria-label={label} />
        </Base.Track>
      </Base.Control>
    </Base.Root>
  )
}
