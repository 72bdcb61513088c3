import { FileQuestion, FolderOpen, X } from 'lucide-react'
import { useRef, useState, type DragEvent, type ReactNode } from 'react'
import { takesWords, type MediaRef, type Takes } from '#app/contract/media-refs.ts'
import { isEmbedding, isPicture } from '#app/contract/results.ts'
import { inputSource, keepFile, keepResult } from '#renderer/actions/inputs.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { Row } from '#renderer/ui/row.tsx'
import { Select } from '#renderer/ui/select.tsx'
import './media-picker.css'

type MediaPickerProps = {
  label: string
  field: string
  takes: Takes
  value: MediaRef | null
  problem?: string | undefined
  onChange: (value: MediaRef | null) => void
  /** Beside the label. */
  action?: ReactNode
}

const accepted: Readonly<Record<Takes, string>> = {
  still: 'image/*',
  clip: 'video/*,image/gif,image/webp,.mov,.mkv,.avi',
  embedding: '.safetensors',
}

/** A picture, clip or embedding for a run: dropped here, browsed for, or one of the library. */
export function MediaPicker({ label, field, takes, value, problem, onChange, action }: MediaPickerProps) {
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const [busy, setBusy] = useState(false)
  const results = useStudio((state) => state.results)
  const pictures = results.filter((one) => isPicture(one) || isEmbedding(one)).filter(({ kind }) => kind === takes)
  const word = takesWords[takes]
  const one = takes === 'embedding' ? `an ${word}` : `a ${word}`

  // Nothing is disabled meanwhile: what is disabled loses the focus.
  const take = async (work: Promise<MediaRef | undefined>): Promise<void> => {
    setBusy(true)
    const ref = await work
    setBusy(false)
    if (ref) onChange(ref)
  }
  const dropped = (event: DragEvent): void => {
    const [file] = event.dataTransfer.files
    setOver(false)
    if (!file) return
    // The page itself takes what nobody has prevented.
    event.preventDefault()
    void take(keepFile(file))
  }
  return (
    <Row
      label={
        <>
          {label}
          {action}
        </>
      }
      field={field}
      problem={problem}
      stacked
    >
      <div
        className="media-picker"
        data-over={over || undefined}
        onDragOver={() => setOver(true)}
        onDragLeave={() => setOver(false)}
        onDrop={dropped}
      >
        {value ? (
          takes !== 'embedding' && <Thumbnail key={value.sha256} media={value} />
        ) : (
          <p className="media-empty muted">{busy ? 'Taking it' : `Drop ${one} here`}</p>
        )}
        <div className="media-buttons">
          <Button aria-label={`Browse for ${one}`} onClick={() => input.current?.click()}>
            <FolderOpen size={13} aria-hidden="true" />
            <span className="media-name">{value?.name ?? 'Browse'}</span>
          </Button>
          {value && (
            <IconButton label={`Clear the ${word}`} onClick={() => onChange(null)}>
              <X size={14} aria-hidden="true" />
            </IconButton>
          )}
          <Select
            label={`${label} of the library`}
            value={null}
            choices={pictures.map(({ id, title }) => ({ value: id, label: title || 'Untitled' }))}
            placeholder={pictures.length > 0 ? 'From the library' : 'Library: none yet'}
            disabled={pictures.length === 0}
            onChange={(id) => {
              const result = pictures.find((one) => one.id === id)
              if (result) void take(keepResult(result))
            }}
          />
        </div>
        <input
          ref={input}
          className="sr"
          type="file"
          accept={accepted[takes]}
          aria-label={`${label} file`}
          tabIndex={-1}
          onChange={(event) => {
            const [file] = event.target.files ?? []
            if (file) void take(keepFile(file))
            event.target.value = ''
          }}
        />
      </div>
    </Row>
  )
}

/** What a browser shows as a picture, else what it plays; what is not here, in words. */
function Thumbnail({ media }: { media: MediaRef }) {
  const [shownAs, setShownAs] = useState<'picture' | 'video' | 'words'>('picture')
  const source = inputSource(media)
  if (shownAs === 'picture')
    return <img className="media-thumbnail" src={source} alt={media.name} onError={() => setShownAs('video')} />
  if (shownAs === 'video')
    return (
      <video
        className="media-thumbnail"
        src={source}
        aria-label={media.name}
        muted
        preload="metadata"
        onError={() => setShownAs('words')}
      />
    )
  return (
    <p className="media-empty muted">
      <FileQuestion size={14} aria-hidden="true" /> “{media.name}” cannot be shown here, or is not here any more.
    </p>
  )
}
