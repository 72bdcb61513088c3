import { Menu } from '@base-ui/react/menu'
import { Download, Ellipsis, ImagePlus, RotateCcw, ScanSearch, Trash2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { PictureResult, ExportFormat } from '#app/contract/results.ts'
import { usesOf, type MediaUse } from '#app/contract/pipelines.ts'
import { classifyClip } from '#renderer/actions/classify.ts'
import { takeIntoForm } from '#renderer/actions/inputs.ts'
import { deleteResult, exportChoices, exportPicture } from '#renderer/actions/library.ts'
import { restoreSettings } from '#renderer/actions/restore.ts'
import { useDraft } from '#renderer/store/draft.ts'
import { useStudio } from '#renderer/store/studio.ts'
import { Button } from '#renderer/ui/button.tsx'
import { popups } from '#renderer/ui/popups.ts'
import { CommandButton, CommandIconButton } from './commands.tsx'

/** What can be done with the clip on the stage. */
export function ClipActions({ clip }: { clip: PictureResult }) {
  return (
    <>
      <CommandButton command="classify-clip" variant="ghost" iconSize={14} />
      <ExportMenu clip={clip} />
      <CommandIconButton command="delete" iconSize={14} />
    </>
  )
}

function useUses({ kind }: PictureResult): readonly MediaUse[] {
  const models = useStudio((state) => state.models)
  const pipeline = useDraft((draft) => draft.pipeline)
  return useMemo(() => usesOf(kind, models, pipeline), [kind, models, pipeline])
}

/** What else can be made of it, each by one click. */
export function Uses({ clip }: { clip: PictureResult }) {
  const uses = useUses(clip)
  if (uses.length === 0) return null
  return (
    <div className="stage-uses" role="group" aria-label={`Make something of this ${clip.kind}`}>
      {uses.map((use) => (
        <Button key={use.use} size="small" onClick={() => void takeIntoForm(clip, use)}>
          {use.use}
        </Button>
      ))}
    </div>
  )
}

function ExportMenu({ clip }: { clip: PictureResult }) {
  const choices = exportChoices(clip)
  const [busy, setBusy] = useState<ExportFormat | null>(null)
  const run = async (choice: (typeof choices)[number]): Promise<void> => {
    setBusy(choice.format)
    await exportPicture(clip, choice)
    setBusy(null)
  }
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button variant="ghost" aria-busy={busy !== null} />}>
        <Download size={14} aria-hidden="true" />
        {busy ? 'Exporting' : 'Export'}
      </Menu.Trigger>
      <MenuPopup label="Export">
        {choices.map((choice) => (
          <Menu.Item key={choice.format} className="item menu-item" onClick={() => void run(choice)}>
            <span>{choice.label}</span>
            <span className="item-side">{choice.detail}</span>
          </Menu.Item>
        ))}
        <p className="popup-note">
          The whole recipe goes into the file. Drop it on the studio to get the settings back.
        </p>
      </MenuPopup>
    </Menu.Root>
  )
}

function MenuPopup({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Menu.Portal container={popups}>
      <Menu.Positioner className="popup-positioner" sideOffset={4} align="end">
        <Menu.Popup className="popup" aria-label={label}>
          {children}
        </Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  )
}

/** The same for a tile of the strip, behind three dots. */
export function TileMenu({ clip }: { clip: PictureResult }) {
  const uses = useUses(clip)
  return (
    <Menu.Root>
      <Menu.Trigger
        render={<Button data-icon="" variant="ghost" size="small" aria-label={`Actions for ${clip.title || 'clip'}`} />}
      >
        <Ellipsis size={14} aria-hidden="true" />
      </Menu.Trigger>
      <MenuPopup label="Clip actions">
        <Menu.Item className="item menu-item" onClick={() => restoreSettings(clip)}>
          <RotateCcw size={13} aria-hidden="true" /> Use these settings
        </Menu.Item>
        {uses.map((use) => (
          <Menu.Item key={use.use} className="item menu-item" onClick={() => void takeIntoForm(clip, use)}>
            <ImagePlus size={13} aria-hidden="true" /> {use.use}
          </Menu.Item>
        ))}
        <Menu.Item className="item menu-item" onClick={() => void classifyClip(clip.id)}>
          <ScanSearch size={13} aria-hidden="true" /> Classify
        </Menu.Item>
        {exportChoices(clip).map((choice) => (
          <Menu.Item key={choice.format} className="item menu-item" onClick={() => void exportPicture(clip, choice)}>
            <Download size={13} aria-hidden="true" /> Export {choice.label}
          </Menu.Item>
        ))}
        <Menu.Item className="item menu-item" data-danger="" onClick={() => void deleteResult(clip)}>
          <Trash2 size={13} aria-hidden="true" /> Delete
        </Menu.Item>
      </MenuPopup>
    </Menu.Root>
  )
}
