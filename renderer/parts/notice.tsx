import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

type NoticeProps = {
  icon?: LucideIcon
  title: string
  text?: ReactNode
  tone?: 'plain' | 'problem'
  children?: ReactNode
}

/** What the stage says when it has no frames to show. */
export function Notice({ icon: Icon, title, text, tone = 'plain', children }: NoticeProps) {
  return (
    <div className="notice" data-tone={tone} role={tone === 'problem' ? 'alert' : undefined}>
      {Icon && <Icon size={26} strokeWidth={1.5} aria-hidden="true" />}
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children && <div className="notice-actions">{children}</div>}
    </div>
  )
}
