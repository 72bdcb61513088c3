import {
  defaultLongClips,
  defaultSplitInference,
  noiseTypes,
  weightingSchemes,
  type LongClip,
  type LongClipKind,
  type NoiseType,
  type WeightingScheme,
} from '#app/contract/long-clips.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { SelectRow, SwitchRow } from '#renderer/ui/control-rows.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { SliderRow } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import type { Choice } from '#renderer/ui/select.tsx'
import { FreeInitRows } from './free-init-rows.tsx'
import { longClipLabels } from './long-clip-words.ts'
import { LaterPromptRows } from './later-prompt-rows.tsx'

const kinds: readonly Choice<LongClipKind | null>[] = [
  { value: null, label: 'All frames at once' },
  { value: 'uniform', label: longClipLabels.uniform, detail: 'Their ends lie elsewhere at each step' },
  { value: 'overlapped', label: longClipLabels.overlapped },
  { value: 'looped', label: longClipLabels.looped, detail: 'The last frame goes on into the first' },
  {
    value: 'freenoise',
    label: longClipLabels.freenoise,
    detail: 'Only motion is seen in windows: more memory, one scene',
  },
]
const notes: Readonly<Record<LongClipKind, string>> = {
  uniform: 'The model sees one window after the other: any length in the memory of one.',
  overlapped: 'The model sees one window after the other: any length in the memory of one.',
  looped: 'Windows go on over the end, so that the clip can be played round and round.',
  freenoise: 'The noise of a window comes again in the later ones, which holds the scene together.',
}
const weightings: Readonly<Record<WeightingScheme, string>> = {
  pyramid: 'Most in the middle',
  flat: 'All the same',
  delayed_reverse_sawtooth: 'Most after the middle',
}
const noises: Readonly<Record<NoiseType, string>> = {
  shuffle_context: 'Come again in another order',
  repeat_context: 'Come again in order',
  random: 'New for each frame',
}

/** What makes a clip longer, a loop, or change on the way. */
export function LongClipSection({ problems }: { problems: FieldProblems }) {
  const longClip = useDraft((draft) => draft.longClip)
  const laterPrompts = useDraft((draft) => draft.laterPrompts)
  const splitInference = useDraft((draft) => draft.splitInference)
  const freeInit = useDraft((draft) => draft.freeInit)
  const used = [
    longClip && kinds.find(({ value }) => value === longClip.kind)?.label,
    laterPrompts.length > 0 && `${laterPrompts.length + 1} prompts`,
    splitInference && 'in parts',
    freeInit && `${freeInit.numIters} rounds`,
  ]
  return (
    <FoldedSection title="Length and rounds" summary={used.filter(Boolean).join(', ') || 'Off'}>
      <SelectRow
        label="Length"
        name="How frames are seen"
        field="longClip"
        problem={problems.longClip}
        note={longClip && notes[longClip.kind]}
        value={longClip?.kind ?? null}
        choices={kinds}
        onChange={(kind) =>
          editDraft({ longClip: kind && ({ ...defaultLongClips[kind], ...windowsOf(longClip) } as LongClip) })
        }
      />
      {longClip && <WindowRows longClip={longClip} />}
      <SplitRow problem={problems.splitInference} />
      <LaterPromptRows problem={problems.laterPrompts} />
      <FreeInitRows problem={problems.freeInit} />
    </FoldedSection>
  )
}

function SplitRow({ problem }: { problem: FieldProblems['splitInference'] }) {
  const split = useDraft((draft) => draft.splitInference)
  return (
    <SwitchRow
      label="In parts"
      name="Split inference"
      field="splitInference"
      problem={problem}
      note={split && 'Layers see so many pixels, or so many frames, at a time: less memory, the same clip.'}
      checked={split !== null}
      onChange={(on) => editDraft({ splitInference: on ? defaultSplitInference : null })}
    >
      {split && (
        <>
          <NumberInput
            label="Pixels at a time"
            value={split.spatialSplitSize}
            min={1}
            max={65_536}
            width={66}
            onChange={(spatialSplitSize) => editDraft({ splitInference: { ...split, spatialSplitSize } })}
          />
          <NumberInput
            label="Frames at a time"
            value={split.temporalSplitSize}
            min={1}
            max={1024}
            width={58}
            onChange={(temporalSplitSize) => editDraft({ splitInference: { ...split, temporalSplitSize } })}
          />
        </>
      )}
    </SwitchRow>
  )
}

/** What stays where another kind is chosen. */
const windowsOf = (longClip: LongClip | null): Partial<LongClip> => {
  if (!longClip) return {}
  const { contextLength, contextStride, weightingScheme } = longClip
  return { contextLength, contextStride, weightingScheme }
}

function WindowRows({ longClip }: { longClip: LongClip }) {
  const edit = (change: Partial<LongClip>): void => editDraft({ longClip: { ...longClip, ...change } as LongClip })
  return (
    <>
      <SliderRow
        label="Window"
        name="Frames of a window"
        value={longClip.contextLength}
        min={2}
        max={32}
        most={128}
        step={1}
        onChange={(contextLength) => edit({ contextLength })}
      />
      <SliderRow
        label="Begins"
        name="Frames from one window to the next"
        value={longClip.contextStride}
        min={1}
        max={32}
        most={128}
        step={1}
        note={`Every ${longClip.contextStride} frames. Fewer frames: smoother, and slower.`}
        onChange={(contextStride) => edit({ contextStride })}
      />
      <SelectRow
        label="Weights"
        name="What counts in a window"
        value={longClip.weightingScheme}
        choices={weightingSchemes.map((value) => ({ value, label: weightings[value] }))}
        onChange={(weightingScheme) => edit({ weightingScheme })}
      />
      {longClip.kind === 'freenoise' && (
        <SelectRow
          label="Noise"
          name="Noise of later frames"
          value={longClip.noiseType}
          choices={noiseTypes.map((value) => ({ value, label: noises[value] }))}
          onChange={(noiseType) => edit({ noiseType })}
        />
      )}
    </>
  )
}
