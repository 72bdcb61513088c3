import type { CSSProperties, ReactNode } from 'react'

/** A number with its part of the largest behind it. */
export function Bar({ tone, part, children }: { tone: 'time' | 'memory'; part: number; children: ReactNode }) {
  const length = { '--part': Math.min(1, Math.max(0, part)) } as CSSProperties
  return (
    <span className="tuning-value" data-tone={tone} style={length}>
      {children}
    </span>
  )
}
