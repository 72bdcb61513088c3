import { createStore, useStore } from 'zustand'

export type View = 'generate' | 'classify'
/** What the middle of Generate shows. */
export type Stage = { kind: 'empty' } | { kind: 'job'; id: string } | { kind: 'clip'; id: string }
/** What Classify looks at. */
export type ClassifySource = { kind: 'clip'; id: string } | { kind: 'file'; file: File; url: string }

export type ViewState = {
  view: View
  stage: Stage
  source: ClassifySource | null
  /** The classification on show: a result, or a job that will become one. */
  classification: { kind: 'job'; id: string } | { kind: 'result'; id: string } | null
  paletteOpen: boolean
  settingsOpen: false | 'appearance' | 'engine' | 'models' | 'about'
  /** The editor of attention processors. */
  attentionOpen: boolean
  /** What the model costs, and proposals to run it with less. */
  tuningOpen: boolean
  /** Result that is asked about before it is deleted. */
  deleting: string | null
}

export const viewStore = createStore<ViewState>(() => ({
  view: 'generate',
  stage: { kind: 'empty' },
  source: null,
  classification: null,
  paletteOpen: false,
  settingsOpen: false,
  attentionOpen: false,
  tuningOpen: false,
  deleting: null,
}))
export const useView = <T>(select: (state: ViewState) => T): T => useStore(viewStore, select)
export const setView = (change: Partial<ViewState>): void => viewStore.setState(change)
