import { newSparseControl } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { AddButton, RemoveButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { FieldProblem, Row } from '#renderer/ui/row.tsx'
import { AddModel, filled, ScaledModel } from './model-rows.tsx'

/** A SparseCtrl with pictures for some frames: with one for the first, a still becomes a clip. */
export function SparseControlRows({ problems }: { problems: FieldProblems }) {
  const { sparseControl: sparse, sparsePictures } = useDraft((draft) => draft)
  if (!sparse)
    return (
      <AddModel
        what="SparseCtrl"
        kind="sparse-controlnet"
        taken={[]}
        onAdd={(id) => editDraft({ sparseControl: newSparseControl(id), sparsePictures: [null] })}
      />
    )
  const change = (next: Partial<typeof sparse>): void => editDraft({ sparseControl: { ...sparse, ...next } })
  const { frames } = sparse
  return (
    <div className="rows" data-field="sparseControl">
      <ScaledModel
        what="SparseCtrl"
        kind="sparse-controlnet"
        id={sparse.id}
        scale={sparse.scale}
        taken={[sparse.id]}
        onChange={change}
        onRemove={() => editDraft({ sparseControl: null, sparsePictures: [] })}
      >
        {frames.map((frame, at) => (
          <div className="rows" key={at} role="group" aria-label={`Picture ${at + 1} of SparseCtrl`}>
            <Row label="Frame">
              <NumberInput
                label={`Frame of picture ${at + 1}`}
                value={frame}
                min={0}
                max={511}
                onChange={(next) => change({ frames: frames.with(at, next) })}
              />
              {frames.length > 1 && (
                <RemoveButton
                  what={`picture ${at + 1}`}
                  onClick={() => {
                    change({ frames: frames.toSpliced(at, 1) })
                    editDraft({ sparsePictures: sparsePictures.toSpliced(at, 1) })
                  }}
                />
              )}
            </Row>
            <MediaPicker
              label="Picture"
              field="sparsePictures"
              takes="still"
              value={sparsePictures[at] ?? null}
              problem={problems.sparsePictures}
              onChange={(ref) => editDraft({ sparsePictures: filled(sparsePictures, frames.length).with(at, ref) })}
            />
          </div>
        ))}
        <Row label="">
          <AddButton
            onClick={() =>
              editDraft({
                sparseControl: { ...sparse, frames: [...frames, Math.max(-1, ...frames) + 1] },
                sparsePictures: [...filled(sparsePictures, frames.length), null],
              })
            }
          >
            Add a picture
          </AddButton>
        </Row>
      </ScaledModel>
      {problems.sparseControl && <FieldProblem message={problems.sparseControl} />}
    </div>
  )
}
