/**
 * Lets one value per key through at most every `intervalMs`: the first at once, then the newest at the end of each
 * interval. `flush` lets the newest through now, `drop` forgets a key.
 */
export function createThrottle<T>(intervalMs: number, publish: (value: T) => void) {
  type Slot = { timer: NodeJS.Timeout; waiting?: T }
  const slots = new Map<string, Slot>()
  const open = (key: string): void => {
    const timer = setTimeout(() => {
      const slot = slots.get(key)
      slots.delete(key)
      if (slot && 'waiting' in slot) {
        open(key)
        publish(slot.waiting)
      }
    }, intervalMs)
    timer.unref()
    slots.set(key, { timer })
  }
  const drop = (key: string): void => {
    clearTimeout(slots.get(key)?.timer)
    slots.delete(key)
  }
  return {
    push(key: string, value: T): void {
      const slot = slots.get(key)
      if (slot) slot.waiting = value
      else {
        open(key)
        publish(value)
      }
    },
    flush(key: string, value: T): void {
      drop(key)
      publish(value)
    },
    drop,
    close: () => [...slots.keys()].forEach(drop),
  }
}
