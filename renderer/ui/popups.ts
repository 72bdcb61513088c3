import { createContext, createRef, useContext, type RefObject } from 'react'

/** Where lists and menus open: inside the page's main part, so that no content stands outside of its landmarks. */
export const popups = createRef<HTMLDivElement>()

/** Undefined inside a dialog: the main part is inert behind it, so lists open beside the dialog. */
export const Popups = createContext<RefObject<HTMLDivElement | null> | undefined>(popups)
export const usePopups = (): RefObject<HTMLDivElement | null> | undefined => useContext(Popups)
