import { useEffect } from 'react'
import { findKept, applyTuning } from '#renderer/actions/tuning.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { sameTuning, tuningOf, useTuning } from '#renderer/store/tuning.ts'
import { closeDialog, useDialog } from '#renderer/store/view.ts'
import { Button } from '#renderer/ui/button.tsx'
import { bytesText, timeText } from '#renderer/ui/format.ts'
import { Modal, ModalHead } from '#renderer/ui/modal.tsx'
import { MeasureBar } from './measure-bar.tsx'
import { ProfileTable } from './profile-table.tsx'
import { Proposals } from './proposals.tsx'
import './tuning.css'

/** What the model costs layer by layer, and how it could be run with less. */
export function TuningDialog() {
  const open = useDialog('tuning') !== null
  return (
    <Modal open={open} onClose={closeDialog} className="tuning">
      <ModalHead title="Profile and tune" />
      <MeasureBar />
      <div className="tuning-body scroll">
        <Kept />
        <Found />
      </div>
    </Modal>
  )
}

/** What was chosen at another time. */
function Kept() {
  useEffect(() => {
    void findKept()
  }, [])
  const kept = useTuning((state) => state.kept)
  const inUse = useDraft((draft) => kept !== null && sameTuning(kept, tuningOf(draft)))
  if (!kept) return null
  return (
    <section className="tuning-kept" aria-label="Kept">
      <p>
        Kept for this model and size: <strong>{kept.name}</strong>, {timeText(kept.measured.milliseconds)} and{' '}
        {bytesText(kept.measured.peakBytes)} a step.
      </p>
      <Button size="small" disabled={inUse} onClick={() => applyTuning(kept)}>
        {inUse ? 'In use' : 'Use this'}
      </Button>
    </section>
  )
}

function Found() {
  const { profile, report, problem, measuring } = useTuning((state) => state)
  return (
    <>
      {problem && (
        <p className="tuning-problem" role="alert">
          {problem}
        </p>
      )}
      {report && <Proposals report={report} />}
      {profile && <ProfileTable profile={profile} />}
      {!profile && !report && !problem && !measuring && (
        <p className="tuning-empty">
          Profile measures one step of the settings in the form: the time and the memory of each block and layer.
          Autotune tries other ways to compute them on this machine, and proposes some to choose from. None changes the
          clip but in its last digits.
        </p>
      )}
    </>
  )
}
