import { useEffect, useState } from 'react'
import { viewIds, viewTable } from '#app/contract/views.ts'
import { takeFiles, type Takers } from '#renderer/actions/drop.ts'
import { views } from '#renderer/views/views.ts'

const restorer = viewIds.find((id) => views[id].restore)
const looker = viewIds.find((id) => views[id].look)
const lookerTitle = looker ? viewTable[looker].title : ''
const takers: Takers = {
  restore: (...recipe) => restorer && views[restorer].restore?.(...recipe),
  adopt: (...recipe) => restorer && views[restorer].adopt?.(...recipe),
  look: (...files) => looker && views[looker].look?.(...files),
  instead: `${lookerTitle} it instead`,
}

const carriesFile = (event: DragEvent): boolean => !!event.dataTransfer?.types.includes('Files')

/** Takes a file dropped anywhere on the page. */
export function DropOverlay() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    let left: ReturnType<typeof setTimeout> | undefined
    const onOver = (event: DragEvent): void => {
      if (!carriesFile(event)) return
      event.preventDefault()
      clearTimeout(left)
      setOver(true)
    }
    // Moving from element to element leaves each of them; only silence means that the file has gone.
    const onLeave = (): void => {
      clearTimeout(left)
      left = setTimeout(() => setOver(false), 80)
    }
    const onDrop = (event: DragEvent): void => {
      if (!carriesFile(event)) return
      const isTaken = event.defaultPrevented
      event.preventDefault()
      setOver(false)
      // A field of the form has it.
      if (isTaken) return
      void takeFiles([...(event.dataTransfer?.files ?? [])], takers)
    }
    window.addEventListener('dragover', onOver)
    window.addEventListener('dragleave', onLeave)
    window.addEventListener('drop', onDrop)
    return () => {
      clearTimeout(left)
      window.removeEventListener('dragover', onOver)
      window.removeEventListener('dragleave', onLeave)
      window.removeEventListener('drop', onDrop)
    }
  }, [])
  if (!over) return null
  return (
    <div className="drop">
      <div>
        <p>Drop one clip or several</p>
        <p>One made here brings its settings back. Any other is taken to {lookerTitle}.</p>
      </div>
    </div>
  )
}
