import { useSyncExternalStore } from 'react'

/** There is room for a third column beside form and stage. */
export const widePage = '(min-width: 1100px)'

export const useMedia = (query: string): boolean =>
  useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches,
  )
