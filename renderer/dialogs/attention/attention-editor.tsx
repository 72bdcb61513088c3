import { useEffect, useState } from 'react'
import type { AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { toProblem } from '#app/contract/errors.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { readLayers } from '#renderer/actions/attention.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { runningLive, useStudio } from '#renderer/store/studio.ts'
import { closeDialog, useDialog } from '#renderer/store/view.ts'
import { Modal, ModalHead } from '#renderer/ui/modal.tsx'
import { LayerEditor } from './layer-editor.tsx'
import './attention.css'

/** How each layer of the chosen model computes its attention. */
export function AttentionEditor() {
  const open = useDialog('attention') !== null
  return (
    <Modal open={open} onClose={closeDialog} className="attention">
      <ModalHead title="Attention by layer" />
      <Loaded />
    </Modal>
  )
}

type Read = { layers: AttnProcessorMap } | { problem: string } | null

function Loaded() {
  const model = useDraft((draft) => draft.model)
  const motionAdapter = useDraft((draft) =>
    'motionAdapter' in pipelineOf(draft.pipeline).models ? draft.motionAdapter : null,
  )
  const busy = useStudio((state) => !!runningLive(state))
  const [read, setRead] = useState<Read>(null)
  useEffect(() => {
    let wanted = true
    readLayers({ model, motionAdapter }).then(
      (layers) => wanted && setRead({ layers }),
      (error: unknown) => wanted && setRead({ problem: toProblem(error).message }),
    )
    return () => {
      wanted = false
    }
  }, [model, motionAdapter])
  if (read && 'layers' in read) return <LayerEditor defaults={read.layers} />
  return (
    <p className="attention-wait" role="status" data-problem={read ? '' : undefined}>
      {read
        ? read.problem
        : busy
          ? 'A clip is being made. The layers are read when it is done.'
          : 'Reading the layers of the model.'}
    </p>
  )
}
