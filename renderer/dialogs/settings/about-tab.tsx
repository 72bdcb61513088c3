import { Mark } from '#renderer/parts/mark.tsx'
import { useStudio } from '#renderer/store/studio.ts'

export function AboutTab() {
  const version = useStudio((state) => state.appVersion)
  return (
    <>
      <div className="about-head">
        <Mark size={40} />
        <div>
          <h2>Frameloom</h2>
          <p className="muted">Version {version || 'unknown'}, Apache-2.0</p>
        </div>
      </div>
      <p>
        A studio that makes clips from words and names what clips show, on this machine alone. It opens Hugging Face
        checkpoints as they are; no Python, no conversion, no cloud.
      </p>
      <p>
        The demo models that come with it are small: they were trained for this project on coloured shapes that move
        over a plain background. They follow colour and shape; motion words barely work. They are there to try every
        control. For real work, add a folder with real checkpoints under Models.
      </p>
    </>
  )
}
