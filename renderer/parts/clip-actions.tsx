import { Menu } from '@base-ui/react/menu'
import { Download, Ellipsis, ImagePlus, RotateCcw, ScanSearch, Trash2, type LucideIcon } from 'lucide-react'
import { useMemo, useState, type ReactNode } from 'react'
import type { EmbeddingResult, ExportFormat, PictureResult } from '#app/contract/results.ts'
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

function useUses({ kind }: PictureResult | EmbeddingResult): readonly MediaUse[] {
  const models = useStudio((state) => state.models)
  const pipeline = useDraft((draft) => draft.pipeline)
  return useMemo(() => usesOf(kind, models, pipeline), [kind, models, pipeline])
}

/** What else can be made of it, each by one click; `children` before the uses that its records know of. */
export function Uses({ result, children }: { result: PictureResult | EmbeddingResult; children?: ReactNode }) {
  const uses = useUses(result)
  if (uses.length === 0 && !children) return null
  return (
    <div className="stage-uses" role="group" aria-label={`Make something of this ${result.kind}`}>
      {children}
      {uses.map((use) => (
        <Button key={use.use} size="small" onClick={() => void takeIntoForm(result, use)}>
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
  return (
    <ResultMenu result={clip}>
      <MenuItem icon={ScanSearch} onClick={() => void classifyClip(clip.id)}>
        Classify
      </MenuItem>
      {exportChoices(clip).map((choice) => (
        <MenuItem key={choice.format} icon={Download} onClick={() => void exportPicture(clip, choice)}>
          Export {choice.label}
        </MenuItem>
      ))}
    </ResultMenu>
  )
}

/** What can be done with every result that has a file; `children`: with one of its kind. */
export function ResultMenu({ result, children }: { result: PictureResult | EmbeddingResult; children: ReactNode }) {
  const uses = useUses(result)
  const name = `Actions for ${result.title || result.kind}`
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button data-icon="" variant="ghost" size="small" aria-label={name} />}>
        <Ellipsis size={14} aria-hidden="true" />
      </Menu.Trigger>
      <MenuPopup label="Actions">
        <MenuItem icon={RotateCcw} onClick={() => restoreSettings(result)}>
          Use these settings
        </MenuItem>
        {uses.map((use) => (
          <MenuItem key={use.use} icon={ImagePlus} onClick={() => void takeIntoForm(result, use)}>
            {use.use}
          </MenuItem>
        ))}
        {children}
        <MenuItem icon={Trash2} data-danger="" onClick={() => void deleteResult(result)}>
          Delete
        </MenuItem>
      </MenuPopup>
    </Menu.Root>
  )
}

type MenuItemProps = { icon: LucideIcon; onClick: () => void; children: ReactNode; 'data-danger'?: string }

export const MenuItem = ({ icon: Icon, children, ...props }: MenuItemProps) => (
  <Menu.Item className="item menu-item" {...props}>
    <Icon size={13} aria-hidden="true" /> {children}
  </Menu.Item>
)
