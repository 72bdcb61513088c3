import { newIpAdapter } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { FieldProblem } from '#renderer/ui/row.tsx'
import { DraftModel } from './draft-rows.tsx'
import { AddModel, filled, ScaledModel } from './model-rows.tsx'

/** IP-Adapters, each with the picture that it shows beside the prompt. */
export function IpAdapters({ problems }: { problems: FieldProblems }) {
  const { ipAdapters, ipPictures } = useDraft((draft) => draft)
  const taken = ipAdapters.map(({ id }) => id)
  return (
    <div className="rows" data-field="ipAdapters">
      {ipAdapters.map((adapter, at) => (
        <ScaledModel
          key={at}
          what="IP-Adapter"
          kind="ip-adapter"
          id={adapter.id}
          scale={adapter.scale}
          taken={taken}
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
        </ScaledModel>
      ))}
      {problems.ipAdapters && <FieldProblem message={problems.ipAdapters} />}
      {ipAdapters.length > 0 && (
        <DraftModel
          label="Encoder"
          name="Image encoder"
          field="imageEncoder"
          kind="image-encoder"
          none="The one beside the adapter"
          problems={problems}
        />
      )}
      <AddModel
        what="IP-Adapter"
        kind="ip-adapter"
        taken={taken}
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
