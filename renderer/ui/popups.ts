import { createContext, createRef, useContext, type RefObject } from 'react'

/** Where lists and menus open: inside the page's main part, so that no content stands outside of its landmarks. */
export const popups = createRef<HTMLDivElement>()

/** A dialog has a place of its own, since the main part is inert behind it. */
export const Popups = createContext<RefObject<HTMLDivElement | null>>(popups)
export const usePopups = (): RefObject<HTMLDivElement | null> => useContext(Popups)
