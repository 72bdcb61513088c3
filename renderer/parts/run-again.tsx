import type { Job } from '#app/contract/jobs.ts'
import { precisionField } from '#app/contract/not-finite.ts'
import { runAgain } from '#renderer/actions/jobs.ts'
import { Button } from '#renderer/ui/button.tsx'

/** What can be done about a job that ended without a result. */
export function RunAgain({ job }: { job: Job }) {
  return (
    <>
      {job.problem?.field === precisionField && (
        <Button onClick={() => void runAgain(job, 'float32')}>Try in float32</Button>
      )}
      <Button onClick={() => void runAgain(job)}>Run again</Button>
    </>
  )
}
