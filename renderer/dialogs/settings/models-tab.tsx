import { Collapsible } from '@base-ui/react/collapsible'
import { ChevronRight, FolderPlus, RefreshCw, X } from 'lucide-react'
import { useState } from 'react'
import type { ModelEntry, ModelKind } from '#app/contract/models.ts'
import { refreshModels, saveSettings } from '#renderer/actions/settings.ts'
import { demoNote } from '#renderer/parts/demo-note.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'
import { bytesText } from '#renderer/ui/format.ts'
import { ModelDetails } from './model-details.tsx'

export function ModelsTab() {
  const folders = useStudio((state) => state.settings?.modelFolders ?? [])
  const models = useStudio((state) => state.models)
  const known = useStudio((state) => state.modelsKnown)
  const [folder, setFolder] = useState('')
  const [searching, setSearching] = useState(false)
  const add = (): void => {
    const added = folder.trim()
    if (!added || folders.includes(added)) return
    setFolder('')
    void saveSettings({ modelFolders: [...folders, added] })
  }
  const search = async (): Promise<void> => {
    setSearching(true)
    await refreshModels()
    setSearching(false)
  }
  return (
    <>
      <h2>Models</h2>
      <p>
        {demoNote} A model is a folder as Hugging Face ships it, with its <code>config.json</code> or{' '}
        <code>model_index.json</code>, or one <code>.safetensors</code> or <code>.ckpt</code> file: a Stable Diffusion
        checkpoint, a motion module, a LoRA. Nothing is converted and nothing is sent anywhere.
      </p>
      <h3>Folders</h3>
      <ul className="folders">
        {folders.map((entry) => (
          <li key={entry}>
            <code>{entry}</code>
            <IconButton
              label={`Remove ${entry}`}
              size="small"
              onClick={() => void saveSettings({ modelFolders: folders.filter((other) => other !== entry) })}
            >
              <X size={13} aria-hidden="true" />
            </IconButton>
          </li>
        ))}
        {folders.length === 0 && (
          <li className="muted">
            None added. The bundled models, your models folder and the Hugging Face cache are searched anyway.
          </li>
        )}
      </ul>
      <form
        className="folder-add"
        onSubmit={(event) => {
          event.preventDefault()
          add()
        }}
      >
        <input
          className="input"
          aria-label="Folder to add"
          placeholder="/home/me/models"
          value={folder}
          spellCheck={false}
          onChange={(event) => setFolder(event.target.value)}
        />
        <Button type="submit" disabled={!folder.trim()}>
          <FolderPlus size={14} aria-hidden="true" />
          Add folder
        </Button>
        <Button onClick={() => void search()} disabled={searching}>
          <RefreshCw size={13} aria-hidden="true" />
          {searching ? 'Searching' : 'Search again'}
        </Button>
      </form>
      <h3>Found</h3>
      <ul className="found">
        {models.map((model) => (
          <FoundModel key={model.id} model={model} />
        ))}
        {models.length === 0 && (
          <li className="muted">{known ? 'No checkpoints were found.' : 'Looking for models.'}</li>
        )}
      </ul>
    </>
  )
}

const kindNames: Record<ModelKind, string> = {
  'stable-diffusion': 'Stable Diffusion',
  'text-to-video-sd': 'Text to video',
  'stable-diffusion-xl': 'Stable Diffusion XL',
  pixart: 'PixArt',
  prior: 'Prior',
  'image-decoder': 'Decoder of embeddings',
  unclip: 'unCLIP',
  'motion-adapter': 'Motion adapter',
  lora: 'LoRA',
  embedding: 'Textual inversion',
  vae: 'Autoencoder',
  'text-encoder': 'Text encoder',
  'custom-diffusion': 'Custom Diffusion',
  controlnet: 'ControlNet',
  'sparse-controlnet': 'SparseCtrl',
  'ip-adapter': 'IP-Adapter',
  'image-encoder': 'Image encoder',
  'video-classifier': 'Classifier',
  other: 'Other',
}

function FoundModel({ model }: { model: ModelEntry }) {
  return (
    <Collapsible.Root render={<li data-problem={model.problem ? '' : undefined} />}>
      <Collapsible.Trigger className="found-name" aria-label={`Details of ${model.name}`}>
        <ChevronRight size={13} aria-hidden="true" />
        {model.name}
        {model.demo && <span className="badge">demo</span>}
      </Collapsible.Trigger>
      <div className="muted">
        {model.problem
          ? 'Cannot be used'
          : [kindNames[model.kind], model.detail, model.precision, bytesText(model.bytes)].filter(Boolean).join(', ')}
      </div>
      <code>{model.location}</code>
      {model.problem && <div className="found-problem">{model.problem.message}</div>}
      <Collapsible.Panel className="found-details">
        <ModelDetails model={model} />
      </Collapsible.Panel>
    </Collapsible.Root>
  )
}
