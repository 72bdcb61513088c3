import { useLayoutEffect, useRef, useState } from 'react'
import { Row } from '#renderer/ui/row.tsx'
import { ChunkBorders, TokenNumbers, useTokenCount } from './token-count.tsx'

type PromptTextProps = GrowingTextProps & {
  /** What is seen of the label, where that is not all of it. */
  title?: string
  field?: string
  problem?: string | undefined
}

/** A text that is read as a prompt, with how long it is. */
export function PromptText({ title, field, problem, ...text }: PromptTextProps) {
  const count = useTokenCount(text.value)
  return (
    <Row
      label={
        <>
          {title ?? text.label}
          {count && <TokenNumbers {...count} />}
        </>
      }
      field={field}
      problem={problem}
      note={count && count.begins.length > 0 && <ChunkBorders {...count} />}
      stacked
    >
      <GrowingText {...text} />
    </Row>
  )
}

type GrowingTextProps = {
  label: string
  value: string
  rows: number
  placeholder: string
  onChange: (value: string) => void
}

function GrowingText({ label, value, rows, placeholder, onChange }: GrowingTextProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  // Text that the form put there would mix with what the browser would undo in this field: it is given a new field.
  const [own, setOwn] = useState({ text: value, field: 0, untouched: true })
  if (own.text !== value) setOwn({ text: value, field: own.field + 1, untouched: true })
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight + 2}px`
  }, [value])
  return (
    <textarea
      key={own.field}
      ref={area}
      className="textarea scroll"
      data-untouched={own.untouched || undefined}
      aria-label={label}
      rows={rows}
      value={value}
      placeholder={placeholder}
      spellCheck
      maxLength={20_000}
      onChange={(event) => {
        setOwn({ ...own, text: event.target.value, untouched: false })
        onChange(event.target.value)
      }}
    />
  )
}
