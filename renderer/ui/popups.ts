import { createRef } from 'react'

/** Where lists and menus open: inside the page's main part, so that no content stands outside of its landmarks. */
export const popups = createRef<HTMLDivElement>()
