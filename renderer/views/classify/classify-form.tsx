import { FolderOpen, X } from 'lucide-react'
import { useRef } from 'react'
import type { FrameSampling } from '#app/contract/settings.ts'
import { lookAtFiles } from '#renderer/actions/classify.ts'
import { CommandButton, useCommands } from '#renderer/parts/commands.tsx'
import { ComputeSection } from '#renderer/parts/compute-section.tsx'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import { demoNote } from '#renderer/parts/demo-note.ts'
import { classifyStore, editClassify, useClassify } from '#renderer/store/classify.ts'
import { computeProblem } from '#renderer/store/compute.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { pictureById, useStudio } from '#renderer/store/studio.ts'
import { setPlace, usePlace } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { Keys } from '#renderer/ui/keys.tsx'
import { FieldProblem, Row, SliderRow } from '#renderer/ui/row.tsx'
import { Section } from '#renderer/ui/section.tsx'
import { Segmented } from '#renderer/ui/segmented.tsx'
import { Select } from '#renderer/ui/select.tsx'
import { LabelsPanel } from './labels-panel.tsx'
import './classify.css'

const samplings: Record<FrameSampling['kind'], { label: string; start: FrameSampling; note: string }> = {
  even: { label: 'Even', start: { kind: 'even' }, note: 'Spread evenly from the first frame to the last.' },
  rate: {
    label: 'Every Nth',
    start: { kind: 'rate', frameSampleRate: 1 },
    note: 'One window at the clip’s end, taking every Nth frame.',
  },
  windows: {
    label: 'Windows',
    start: { kind: 'windows', count: 3 },
    note: 'Several windows over the clip; their probabilities are averaged.',
  },
}

/** `wide`: the labels have a column of their own; otherwise they stand here once there is something to say. */
export function ClassifyForm({ wide }: { wide: boolean }) {
  const { model, sampling, topK, compute } = useClassify((state) => state.draft)
  const unfit = useStudio((state) => computeProblem(compute, state.engine))
  const models = useStudio((state) => state.models)
  const known = useStudio((state) => state.modelsKnown)
  const answering = usePlace('classify').shown !== null
  const entry = models.find((candidate) => candidate.id === model)
  const choices = modelsFor(models, 'video-classifier')
  return (
    <form className="form" aria-label="Classify" onSubmit={(event) => event.preventDefault()}>
      <div className="form-scroll scroll">
        <SourceSection />
        {!wide && answering && <LabelsPanel />}
        <Section title="Classifier">
          <Row label="Checkpoint" field="classifier">
            <Select
              label="Classifier"
              value={model}
              choices={choices.map(modelChoice)}
              placeholder={known ? 'None found' : 'Looking for models'}
              menuNote={demoNote}
              onChange={(id) => editClassify({ model: id })}
            />
          </Row>
          {entry?.demo && (
            <p className="demo-note">
              A small demonstration: it knows {entry.numLabels ?? 'a few'} labels of moving shapes.
            </p>
          )}
          {!choices.some(isUsable) && (
            <FieldProblem message="No classifier was found. Add a folder with a TimeSformer checkpoint in Settings." />
          )}
        </Section>
        <Section title="Frames">
          <Segmented
            label="Sampling"
            value={sampling.kind}
            choices={(['even', 'rate', 'windows'] as const).map((value) => ({ value, label: samplings[value].label }))}
            onChange={(kind) => editClassify({ sampling: samplings[kind].start })}
          />
          {sampling.kind === 'rate' && (
            <SliderRow
              label="Rate"
              value={sampling.frameSampleRate}
              min={1}
              max={16}
              most={1000}
              step={1}
              onChange={(frameSampleRate) => editClassify({ sampling: { kind: 'rate', frameSampleRate } })}
            />
          )}
          {sampling.kind === 'windows' && (
            <SliderRow
              label="Windows"
              name="Number of windows"
              value={sampling.count}
              min={2}
              max={16}
              most={32}
              step={1}
              onChange={(count) => editClassify({ sampling: { kind: 'windows', count } })}
            />
          )}
          <p className="demo-note">
            {samplings[sampling.kind].note}
            {entry?.numFrames !== undefined && ` This model looks at ${entry.numFrames} frames.`}
          </p>
        </Section>
        <ComputeSection compute={compute} problem={unfit} onChange={(next) => editClassify({ compute: next })} />
        <Section title="Answer">
          <SliderRow
            label="Labels"
            name="Labels shown"
            value={topK}
            min={1}
            max={Math.min(20, entry?.numLabels ?? 20)}
            most={entry?.numLabels ?? 1000}
            step={1}
            onChange={(value) => editClassify({ topK: value })}
          />
        </Section>
      </div>
      <ClassifyButton />
    </form>
  )
}

function SourceSection() {
  const { source } = usePlace('classify')
  const others = useClassify((state) => state.others)
  const clip = useStudio((state) => (source?.kind === 'clip' ? pictureById(state, source.id) : undefined))
  const clips = useStudio((state) => state.results)
  const input = useRef<HTMLInputElement>(null)
  const choices = clips.flatMap((result) =>
    result.kind === 'clip'
      ? [{ value: result.id, label: result.title || 'Untitled clip', side: `${result.numFrames} f` }]
      : [],
  )
  return (
    <Section title="Clip">
      <Row label="File">
        <Button className="source-browse" onClick={() => input.current?.click()}>
          <FolderOpen size={13} aria-hidden="true" />
          <span>{source?.kind === 'file' ? source.file.name : 'Browse'}</span>
        </Button>
        <input
          ref={input}
          className="sr"
          type="file"
          multiple
          accept="video/*,image/gif,image/webp,.mov,.mkv,.avi"
          aria-label="Clip file"
          tabIndex={-1}
          onChange={(event) => {
            lookAtFiles(...(event.target.files ?? []))
            event.target.value = ''
          }}
        />
      </Row>
      {others.length > 0 && (
        <Row label="Then">
          <ul className="source-others" aria-label="Classified after it">
            {others.map((file, i) => (
              <li key={`${i} ${file.name}`}>
                <span>{file.name}</span>
                <Button
                  data-icon=""
                  size="small"
                  variant="ghost"
                  aria-label={`Leave out ${file.name}`}
                  onClick={() => classifyStore.setState({ others: others.filter((other) => other !== file) })}
                >
                  <X size={12} aria-hidden="true" />
                </Button>
              </li>
            ))}
          </ul>
        </Row>
      )}
      <Row label="Library">
        <Select
          label="Clip of the library"
          value={clip?.id ?? null}
          choices={choices}
          placeholder={choices.length ? 'Choose a clip' : 'No clips yet'}
          disabled={choices.length === 0}
          onChange={(id) => {
            if (id === null) return
            classifyStore.setState({ others: [] })
            setPlace('classify', { source: { kind: 'clip', id }, shown: null })
          }}
        />
      </Row>
    </Section>
  )
}

function ClassifyButton() {
  const { source } = usePlace('classify')
  const { key } = useCommands().run
  const preparing = useClassify((state) => state.preparing)
  const others = useClassify((state) => state.others.length)
  const problem = useClassify((state) => state.problem)
  const ready = useStudio((state) => state.connection === 'open' && state.engine?.state !== 'stopped')
  return (
    <div className="form-foot">
      {problem && <FieldProblem message={problem} />}
      <CommandButton
        command="run"
        variant="primary"
        size="large"
        disabled={!ready || !source}
        aria-busy={preparing !== null}
      >
        {preparing ?? (others > 0 ? `Classify ${others + 1} clips` : 'Classify')}
        {!preparing && key && <Keys shortcut={key} />}
      </CommandButton>
      {!source && <p className="form-sum">Drop, browse or pick a clip first.</p>}
    </div>
  )
}
