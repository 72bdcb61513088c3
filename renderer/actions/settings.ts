import type { AppSettings } from '#app/contract/settings.ts'
import { callHost } from '#renderer/store/host.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tellFailure } from '#renderer/store/toasts.ts'

export async function saveSettings(change: Partial<AppSettings>): Promise<void> {
  const { settings } = studioStore.getState()
  if (!settings) return
  const wanted = { ...settings, ...change }
  // Shown at once; the host's answer confirms it or puts the old value back.
  studioStore.setState({ settings: wanted })
  try {
    await callHost((host) => host.saveSettings(wanted))
  } catch (error) {
    studioStore.setState({ settings })
    tellFailure('The settings could not be saved', error)
  }
}

export async function refreshModels(): Promise<void> {
  try {
    await callHost((host) => host.refreshModels())
  } catch (error) {
    tellFailure('The folders could not be searched', error)
  }
}

export async function restartEngine(): Promise<void> {
  try {
    await callHost((host) => host.restartEngine())
  } catch (error) {
    tellFailure('The engine could not be restarted', error)
  }
}
