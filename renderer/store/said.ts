import { createStore, useStore } from 'zustand'

/** What assistive technology is told of what happens on the page, beside toasts, which speak for themselves. */
const saidStore = createStore<{ words: string }>(() => ({ words: '' }))
export const say = (words: string): void => saidStore.setState({ words })
export const useSaid = (): string => useStore(saidStore, ({ words }) => words)
