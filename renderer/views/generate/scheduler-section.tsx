import { pipelineOf } from '#app/contract/pipelines.ts'
import {
  forScheduler,
  isSchedulerClass,
  readBy,
  schedulerConfigSchema,
  schedulerTable,
  takesEta,
} from '#app/contract/schedulers.ts'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { SelectRow } from '#renderer/ui/control-rows.tsx'
import { FieldProblem } from '#renderer/ui/row.tsx'
import { FoldedSection } from '#renderer/ui/section.tsx'
import type { Choice } from '#renderer/ui/select.tsx'
import { DraftSlider } from './draft-rows.tsx'
import {
  scheduleInWords,
  schedulerSettings,
  sigmaKeys,
  sigmaLabels,
  sigmaSpacing,
  withSigmaSpacing,
  type SchedulerSetting,
} from './scheduler-settings.ts'

const labelOf = (className: string): string =>
  isSchedulerClass(className) ? schedulerTable[className].label : className
const asCheckpoint = { value: null, label: 'As the checkpoint says' }
const classes: readonly Choice<string | null>[] = Object.entries(schedulerTable)
  .filter(([, { denoises }]) => denoises === 'frames')
  .map(([value, { label }]) => ({ value, label }))
const spacings = [asCheckpoint, ...[...sigmaLabels, 'Plain'].map((label) => ({ value: label, label }))]
const share = { min: 0, max: 1, step: 0.05, digits: 2 }

/** The scheduler, and of its config what it reads. */
export function SchedulerSection({ problems }: { problems: FieldProblems }) {
  const { model, scheduler, schedulerConfig, eta, guidanceRescale } = useDraft((draft) => draft)
  const { shape } = useDraft((draft) => pipelineOf(draft.pipeline).settings)
  const rescales = 'guidanceRescale' in shape
  const own = useStudio((state) => state.models.find(({ id }) => id === model)?.scheduler)
  const className = scheduler ?? own
  const reads = readBy(className)
  const known = classes.some(({ value }) => value === scheduler)
  const changed =
    scheduleInWords(schedulerConfig).length + [eta > 0, rescales && guidanceRescale > 0].filter(Boolean).length
  const name = className ? labelOf(className) : asCheckpoint.label
  return (
    <FoldedSection title="Scheduler" summary={changed ? `${name}, ${changed} changed` : name}>
      <SelectRow
        label="Scheduler"
        field="scheduler"
        problem={problems.scheduler}
        value={scheduler}
        choices={[
          { ...asCheckpoint, ...(own && { detail: labelOf(own) }) },
          ...classes,
          // A recipe may name one that is not in this list; the engine has the last word.
          ...(scheduler === null || known ? [] : [{ value: scheduler, label: scheduler }]),
        ]}
        onChange={(value) =>
          editDraft({ scheduler: value, schedulerConfig: forScheduler(schedulerConfig, value ?? own) })
        }
      />
      {schedulerSettings
        .filter(({ key }) => reads.includes(key))
        .map((setting) => (
          <SettingRow key={setting.key} setting={setting} />
        ))}
      {reads.includes(sigmaKeys[0]) && (
        <SelectRow
          label="Sigmas"
          name="Spacing of sigmas"
          value={sigmaSpacing(schedulerConfig)}
          choices={spacings}
          onChange={(value) => editDraft({ schedulerConfig: withSigmaSpacing(schedulerConfig, value) })}
        />
      )}
      {problems.schedulerConfig && <FieldProblem message={problems.schedulerConfig} />}
      {takesEta(className) && (
        <DraftSlider
          label="Eta"
          field="eta"
          {...share}
          note={eta > 0 && 'Adds new noise at each step. At 0 nothing is left to chance but the start.'}
          problems={problems}
        />
      )}
      {rescales && (
        <DraftSlider
          label="Rescale"
          name="Guidance rescale"
          field="guidanceRescale"
          {...share}
          note={guidanceRescale > 0 && 'Takes back the glare of high guidance.'}
          problems={problems}
        />
      )}
    </FoldedSection>
  )
}

function SettingRow({ setting: { key: name, label, values } }: { setting: SchedulerSetting }) {
  const schedulerConfig = useDraft((draft) => draft.schedulerConfig)
  const value = schedulerConfig[name]
  const known = value === undefined || values.some(([one]) => one === value)
  const all = known ? values : [...values, [value, String(value)] as const]
  return (
    <SelectRow
      label={label}
      field="schedulerConfig"
      value={value === undefined ? null : String(value)}
      choices={[asCheckpoint, ...all.map(([one, label]) => ({ value: String(one), label }))]}
      onChange={(chosen) => {
        const { [name]: _, ...rest } = schedulerConfig
        const found = all.find(([one]) => String(one) === chosen)
        editDraft({ schedulerConfig: found ? schedulerConfigSchema.parse({ ...rest, [name]: found[0] }) : rest })
      }}
    />
  )
}
