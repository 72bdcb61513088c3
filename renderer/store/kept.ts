/**
 * What this browser remembers for the page. The one place that touches its storage, which may be forbidden, full, or
 * hold anything at all: whoever reads checks what comes back.
 */
export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** What is not kept lasts as long as the page. */
export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text)
  } catch {
    // Storage is full or forbidden.
  }
}

/** The same as JSON; null for what is not there or is no JSON. */
export function readKeptJson(key: string): unknown {
  try {
    return JSON.parse(readKept(key) ?? 'null')
  } catch {
    return null
  }
}

const isLayout = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((share) => typeof share === 'number' && share >= 0 && share <= 100)

/**
 * Where react-resizable-panels keeps sizes of panels. It parses them unguarded while it renders, so what is not a
 * layout is not given to it.
 */
export const layoutStorage = {
  getItem: (key: string): string | null => (isLayout(readKeptJson(key)) ? readKept(key) : null),
  setItem: keep,
}
