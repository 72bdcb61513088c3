import { Plus, X } from 'lucide-react'
import { newSparseControl } from '#app/contract/pipelines/conditioning.ts'
import { MediaPicker } from '#renderer/parts/media-picker.tsx'
import type { FieldProblems } from '#renderer/store/checks.ts'
import { editDraft, useDraft } from '#renderer/store/draft.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { NumberInput } from '#renderer/ui/number.tsx'
import { FieldProblem, Row } from '#renderer/ui/row.tsx'
import { Add, filled, Steering } from './steering-rows.tsx'

/** A SparseCtrl with pictures for some frames: with one for the first, a still becomes a clip. */
export function SparseControlRows({ problems }: { problems: FieldProblems }) {
  const { sparseControl: sparse, sparsePictures } = useDraft((draft) => draft)
  if (!sparse)
    return (
      <Add
        what="SparseCtrl"
        kind="sparse-controlnet"
        taken={[]}
        onAdd={(id) => editDraft({ sparseControl: newSparseControl(id), sparsePictures: [null] })}
      />
    )
  const change = (next: Partial<typeof sparse>): void => editDraft({ sparseControl: { ...sparse, ...next } })
  return (
    <div className="steering" data-field="sparseControl">
      <Steering
        what="SparseCtrl"
        kind="sparse-controlnet"
        id={sparse.id}
        scale={sparse.scale}
        onChange={change}
        onRemove={() => editDraft({ sparseControl: null, sparsePictures: [] })}
      >
        {sparse.frames.map((frame, at) => (
          <div className="steering" key={at} role="group" aria-label={`Picture ${at + 1} of SparseCtrl`}>
            <Row label="Frame">
              <NumberInput
                label={`Frame of picture ${at + 1}`}
                value={frame}
                min={0}
                max={511}
                step={1}
                onChange={(next) => change({ frames: sparse.frames.with(at, next) })}
              />
              {sparse.frames.length > 1 && (
                <IconButton
                  label={`Remove picture ${at + 1}`}
                  size="small"
                  onClick={() =>
                    editDraft({
                      sparseControl: { ...sparse, frames: sparse.frames.toSpliced(at, 1) },
                      sparsePictures: sparsePictures.toSpliced(at, 1),
                    })
                  }
                >
                  <X size={13} aria-hidden="true" />
                </IconButton>
              )}
            </Row>
            <MediaPicker
              label="Picture"
              field="sparsePictures"
              takes="still"
              value={sparsePictures[at] ?? null}
              problem={problems.sparsePictures}
              onChange={(ref) =>
                editDraft({ sparsePictures: filled(sparsePictures, sparse.frames.length).with(at, ref) })
              }
            />
          </div>
        ))}
        <Row label="">
          <Button
            variant="ghost"
            size="small"
            onClick={() =>
              editDraft({
                sparseControl: { ...sparse, frames: [...sparse.frames, Math.max(-1, ...sparse.frames) + 1] },
                sparsePictures: [...filled(sparsePictures, sparse.frames.length), null],
              })
            }
          >
            <Plus size={13} aria-hidden="true" />
            Add a picture
          </Button>
        </Row>
      </Steering>
      {problems.sparseControl && <FieldProblem message={problems.sparseControl} />}
    </div>
  )
}
