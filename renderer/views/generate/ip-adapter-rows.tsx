import { newIpAdapter } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import { modelChoice } from '#renderer/parts/model-choice.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { FieldProblem, Row } from '#renderer/ui/row.tsx'
import { Select } from '#renderer/ui/select.tsx'
import { Add, filled, Steering } from './steering-rows.tsx'

/** IP-Adapters, each with the picture that it shows beside the prompt. */
export function IpAdapters({ problems }: { problems: FieldProblems }) {
  const models = useStudio((state) => state.models)
  const { ipAdapters, ipPictures, imageEncoder } = useDraft((draft) => draft)
  const encoders = modelsFor(models, 'image-encoder').filter(isUsable)
  return (
    <div className="steering" data-field="ipAdapters">
      {ipAdapters.map((adapter, at) => (
        <Steering
          key={at}
          what="IP-Adapter"
          kind="ip-adapter"
          id={adapter.id}
          scale={adapter.scale}
          onChange={(change) => editDraft({ ipAdapters: ipAdapters.with(at, { ...adapter, ...change }) })}
          onRemove={() =>
            editDraft({ ipAdapters: ipAdapters.toSpliced(at, 1), ipPictures: ipPictures.toSpliced(at, 1) })
          }
        >
          <MediaPicker
            label="Picture"
            field="ipPictures"
            takes="still"
            value={ipPictures[at] ?? null}
            problem={problems.ipPictures}
            onChange={(ref) => editDraft({ ipPictures: filled(ipPictures, ipAdapters.length).with(at, ref) })}
          />
        </Steering>
      ))}
      {problems.ipAdapters && <FieldProblem message={problems.ipAdapters} />}
      {ipAdapters.length > 0 && (
        <Row label="Encoder" field="imageEncoder" problem={problems.imageEncoder}>
          <Select
            label="Image encoder"
            value={imageEncoder ?? ''}
            choices={[{ value: '', label: 'The one beside the adapter' }, ...encoders.map(modelChoice)]}
            invalid={!!problems.imageEncoder}
            onChange={(id) => editDraft({ imageEncoder: id === '' ? null : id })}
          />
        </Row>
      )}
      <Add
        what="IP-Adapter"
        kind="ip-adapter"
        taken={ipAdapters.map(({ id }) => id)}
        onAdd={(id) =>
          editDraft({
            ipAdapters: [...ipAdapters, newIpAdapter(id)],
            ipPictures: [...filled(ipPictures, ipAdapters.length), null],
          })
        }
      />
    </div>
  )
}
