/** Frameloom's sign: three warp threads, woven through. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" className="mark">
      <g fill="var(--warp)">
        <rect x="5" y="3" width="3" height="11" rx="1" />
        <rect x="10.5" y="10" width="3" height="11" rx="1" />
        <rect x="16" y="3" width="3" height="11" rx="1" />
      </g>
      <g fill="var(--weft)">
        <rect x="3" y="16" width="7" height="3" rx="1" />
        <rect x="14" y="16" width="7" height="3" rx="1" />
        <rect x="8.75" y="5" width="6.5" height="3" rx="1" />
      </g>
    </svg>
  )
}
