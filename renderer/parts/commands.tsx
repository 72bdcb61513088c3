import type { LucideIcon } from 'lucide-react'
import { createContext, useContext, type ComponentProps } from 'react'
import type { CommandId, CommandRecord } from '#app/contract/commands.ts'
import { Button, IconButton } from '#renderer/ui/button.tsx'

/** A command with what only the page has of it. */
export type Command = CommandRecord & {
  id: CommandId
  icon: LucideIcon
  /** While false it is left out of the palette and does nothing. */
  available: () => boolean
  perform: () => void
}
export type Commands = Readonly<Record<CommandId, Command>>

/** The one table, given by the shell: what some commands do is known only above those who have buttons for them. */
export const CommandsContext = createContext<Commands | null>(null)

export function useCommands(): Commands {
  const commands = useContext(CommandsContext)
  if (!commands) throw new Error('A button for a command stands outside of CommandsContext.')
  return commands
}

type CommandButtonProps = Omit<ComponentProps<typeof Button>, 'onClick'> & {
  command: CommandId
  /** Shows the command's icon at this size. */
  iconSize?: number
}

/** A button that performs a command. It says the command's label unless it has words of its own. */
export function CommandButton({ command, iconSize, children, ...props }: CommandButtonProps) {
  const { name, label, icon: Icon, perform } = useCommands()[command]
  return (
    <Button onClick={perform} {...props}>
      {iconSize && <Icon size={iconSize} aria-hidden="true" />}
      {children ?? label ?? name}
    </Button>
  )
}

type CommandIconButtonProps = Omit<ComponentProps<typeof IconButton>, 'label' | 'shortcut' | 'onClick' | 'children'> & {
  command: CommandId
  iconSize?: number
  /** For a state of its own, such as playing. */
  icon?: LucideIcon
  label?: string
}

/** The same with a picture only; words, key and picture are the command's. */
export function CommandIconButton({ command, iconSize = 15, icon, label, ...props }: CommandIconButtonProps) {
  const record = useCommands()[command]
  const Icon = icon ?? record.icon
  return (
    <IconButton label={label ?? record.label ?? record.name} shortcut={record.key} onClick={record.perform} {...props}>
      <Icon size={iconSize} aria-hidden="true" />
    </IconButton>
  )
}
