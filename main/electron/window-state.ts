import { z } from 'zod'

const boundsSchema = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(200).max(32_768),
  height: z.int().min(200).max(32_768),
})
export const windowStateSchema = boundsSchema.extend({ maximized: z.boolean() })
export type WindowState = z.infer<typeof windowStateSchema>
export type Bounds = z.infer<typeof boundsSchema>

/** What the last window's file says, or null when it says nothing that can be used. */
export function parseWindowState(text: string): WindowState | null {
  try {
    return windowStateSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/**
 * True when enough of the window's top is on some display to be seen and dragged: a display may have been unplugged.
 */
export const isReachable = (state: Bounds, displays: readonly Bounds[]): boolean =>
  displays.some((display) => {
    const across = Math.min(state.x + state.width, display.x + display.width) - Math.max(state.x, display.x)
    return across >= 100 && state.y >= display.y && state.y + 40 <= display.y + display.height
  })
