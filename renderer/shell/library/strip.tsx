import { useMemo } from 'react'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { JobTile, ResultTile } from './tiles.tsx'
import './library.css'

/** Everything made and being made, newest first. */
export function LibraryStrip() {
  const jobs = useStudio((state) => state.jobs)
  const results = useStudio((state) => state.results)
  const known = useStudio((state) => state.known)
  const listed = useMemo(() => jobs.filter(isListed).reverse(), [jobs])

  const moveFocus = (event: React.KeyboardEvent<HTMLUListElement>): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (by === undefined || !(event.target instanceof HTMLElement) || !event.target.matches('.tile-open')) return
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>('.tile-open')]
    event.preventDefault()
    event.stopPropagation()
    tiles[tiles.indexOf(event.target) + by]?.focus()
  }

  return (
    <section className="strip" aria-label="Library">
      <header className="strip-head">
        <h2>Library</h2>
        <span className="muted">{results.length > 0 && results.length}</span>
      </header>
      {listed.length + results.length === 0 ? (
        <p className="strip-empty">
          {known ? 'Clips, stills and classifications are kept here, also after a restart.' : 'Opening the library.'}
        </p>
      ) : (
        <ul className="strip-tiles scroll" onKeyDown={moveFocus}>
          {listed.map((job) => (
            <JobTile key={job.id} job={job} />
          ))}
          {results.map((result) => (
            <ResultTile key={result.id} result={result} />
          ))}
        </ul>
      )}
    </section>
  )
}

/** Jobs that became a result are shown as that; cancelled ones are not missed. */
const isListed = (job: Job): boolean =>
  !isFinished(job.status) || job.status === 'failed' || job.status === 'interrupted'
