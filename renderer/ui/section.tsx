import { Collapsible } from '@base-ui/react/collapsible'
import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'

export function Section({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section className="section" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {action}
      </div>
      <div className="section-body">{children}</div>
    </section>
  )
}

/** A section that is closed until asked for; `summary` says what is inside meanwhile. */
export function FoldedSection({ title, summary, children }: { title: string; summary: string; children: ReactNode }) {
  return (
    <Collapsible.Root className="section" render={<section aria-label={title} />}>
      <div className="section-head">
        <Collapsible.Trigger className="section-toggle">
          <ChevronRight size={13} aria-hidden="true" />
          {title}
          <span>{summary}</span>
        </Collapsible.Trigger>
      </div>
      <Collapsible.Panel className="section-body">{children}</Collapsible.Panel>
    </Collapsible.Root>
  )
}
