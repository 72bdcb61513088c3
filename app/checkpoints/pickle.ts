import { quoted, type Refuse } from './file.ts'

/**
 * What a global name of a pickle stands for. Nothing of the pickle is ever run: `call` is our own function for that
 * name, and a name without one can be mentioned but not called.
 */
export type Known = { readonly name: string; readonly call?: (args: readonly unknown[], budget: Budget) => unknown }

/** A value that is of no use here (a date, an optimiser's object): it can be stored and passed on, and that is all. */
export type Opaque = { readonly opaque: string }

/** Takes from what may still be copied, so that a small file cannot grow into a large structure. */
export type Budget = (items: number) => void

export type PickleNames = {
  /** Refuses every name it does not know. */
  readonly known: (name: string) => Known
  readonly persistent: (id: unknown) => unknown
}

const isOpaque = (value: unknown): value is Opaque => typeof value === 'object' && value !== null && 'opaque' in value
const isKnown = (value: unknown): value is Known => typeof value === 'object' && value !== null && 'name' in value

/**
 * Reads one pickle (protocols 2 to 5; opcodes as in CPython's Lib/pickletools.py) as data. Lists, tuples and sets
 * become arrays, dicts become Maps, bytes become Uint8Arrays, integers beyond 2^53 become bigints.
 */
export function readPickle(bytes: Uint8Array, names: PickleNames, refuse: Refuse): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const memo = new Map<number, unknown>()
  const marks: number[] = []
  let stack: unknown[] = []
  let at = 0
  let left = bytes.length

  const budget: Budget = (items) => {
    left -= items
    if (left < 0) refuse('its pickle copies more than it holds')
  }

  function take(length: number): number {
    const start = at
    if (length > bytes.length - at) refuse('its pickle is cut short')
    at += length
    return start
  }
  const byte = (): number => bytes[take(1)]!
  const uint16 = (): number => view.getUint16(take(2), true)
  const uint32 = (): number => view.getUint32(take(4), true)
  const size64 = (): number => Number(view.getBigUint64(take(8), true))
  const raw = (length: number): Uint8Array => bytes.slice(take(length), at)
  function text(length: number): string {
    const start = take(length)
    try {
      return utf8.decode(bytes.subarray(start, at))
    } catch {
      return refuse(`its pickle has a string that is not UTF-8 at byte ${start}`)
    }
  }
  function line(): string {
    const stop = bytes.indexOf(10, at)
    if (stop < 0) refuse('its pickle is cut short')
    const value = text(stop - at)
    at++
    return value
  }
  function long(length: number): number | bigint {
    if (length > 1024) refuse(`its pickle has an integer of ${length} bytes`)
    const start = take(length)
    let value = 0n
    for (let i = at - 1; i >= start; i--) value = (value << 8n) | BigInt(bytes[i]!)
    if (length && bytes[at - 1]! & 0x80) value -= 1n << BigInt(8 * length)
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  function pop(): unknown {
    if (stack.length <= (marks.at(-1) ?? 0)) refuse('its pickle takes more than it has')
    return stack.pop()
  }
  function top(): unknown {
    if (stack.length <= (marks.at(-1) ?? 0)) refuse('its pickle takes more than it has')
    return stack.at(-1)
  }
  function popMark(): unknown[] {
    const mark = marks.pop()
    if (mark === undefined) return refuse('its pickle takes more than it has')
    const items = stack.slice(mark)
    stack.length = mark
    return items
  }
  function popTuple(length: number): void {
    const items = Array.from({ length }, pop).reverse()
    stack.push(items)
  }
  function remembered(index: number): unknown {
    if (!memo.has(index)) refuse(`its pickle uses what it has not stored (memo ${index})`)
    return memo.get(index)
  }
  function setItems(items: readonly unknown[]): void {
    const target = top()
    if (items.length % 2) refuse('its pickle sets a key without a value')
    if (isOpaque(target)) return
    if (!(target instanceof Map)) return refuse('its pickle sets an item of what is no dict')
    for (let i = 0; i < items.length; i += 2) {
      if (typeof items[i] === 'string' && target.has(items[i]))
        refuse(`it has the key ${quoted(String(items[i]))} twice`)
      if (items[i] instanceof Map) refuse('its pickle has a dict as a key')
      target.set(items[i], items[i + 1])
    }
  }
  function append(items: readonly unknown[]): void {
    const target = top()
    if (Array.isArray(target)) for (const item of items) target.push(item)
    else if (!isOpaque(target)) refuse('its pickle appends to what is no list')
  }
  function dict(items: readonly unknown[]): void {
    stack.push(new Map())
    setItems(items)
  }
  function call(): void {
    const args = pop()
    const callee = pop()
    if (!Array.isArray(args)) return refuse('its pickle calls without arguments')
    if (!isKnown(callee)) return refuse('its pickle calls what is no function')
    if (!callee.call) return refuse(`its pickle calls ${callee.name}, which is never done`)
    stack.push(callee.call(args, budget))
  }
  function build(): void {
    pop()
    const target = top()
    // An OrderedDict's attributes (a state dict's _metadata) say nothing about its weights.
    if (!(target instanceof Map) && !isOpaque(target)) refuse('its pickle changes the state of what has none')
  }
  function stackGlobal(): void {
    const name = pop()
    const module = pop()
    if (typeof name !== 'string' || typeof module !== 'string') return refuse('its pickle has a global without a name')
    stack.push(names.known(`${module}.${name}`))
  }

  const operations: Readonly<Record<number, () => unknown>> = {
    0x28: () => marks.push(stack.length), // MARK
    0x30: () => (stack.length === marks.at(-1) ? popMark() : pop()), // POP
    0x31: popMark, // POP_MARK
    0x32: () => stack.push(top()), // DUP
    0x4e: () => stack.push(null), // NONE
    0x88: () => stack.push(true), // NEWTRUE
    0x89: () => stack.push(false), // NEWFALSE
    0x4b: () => stack.push(byte()), // BININT1
    0x4d: () => stack.push(uint16()), // BININT2
    0x4a: () => stack.push(view.getInt32(take(4), true)), // BININT
    0x8a: () => stack.push(long(byte())), // LONG1
    0x8b: () => stack.push(long(uint32())), // LONG4
    0x47: () => stack.push(view.getFloat64(take(8), false)), // BINFLOAT
    0x55: () => stack.push(text(byte())), // SHORT_BINSTRING
    0x54: () => stack.push(text(uint32())), // BINSTRING
    0x8c: () => stack.push(text(byte())), // SHORT_BINUNICODE
    0x58: () => stack.push(text(uint32())), // BINUNICODE
    0x8d: () => stack.push(text(size64())), // BINUNICODE8
    0x43: () => stack.push(raw(byte())), // SHORT_BINBYTES
    0x42: () => stack.push(raw(uint32())), // BINBYTES
    0x8e: () => stack.push(raw(size64())), // BINBYTES8
    0x96: () => stack.push(raw(size64())), // BYTEARRAY8
    0x5d: () => stack.push([]), // EMPTY_LIST
    0x6c: () => stack.push(popMark()), // LIST
    0x61: () => append([pop()]), // APPEND
    0x65: () => append(popMark()), // APPENDS
    0x29: () => stack.push([]), // EMPTY_TUPLE
    0x74: () => stack.push(popMark()), // TUPLE
    0x85: () => popTuple(1), // TUPLE1
    0x86: () => popTuple(2), // TUPLE2
    0x87: () => popTuple(3), // TUPLE3
    0x8f: () => stack.push([]), // EMPTY_SET
    0x90: () => append(popMark()), // ADDITEMS
    0x91: () => stack.push(popMark()), // FROZENSET
    0x7d: () => stack.push(new Map()), // EMPTY_DICT
    0x64: () => dict(popMark()), // DICT
    0x73: () => setItems([pop(), pop()].reverse()), // SETITEM
    0x75: () => setItems(popMark()), // SETITEMS
    0x71: () => memo.set(byte(), top()), // BINPUT
    0x72: () => memo.set(uint32(), top()), // LONG_BINPUT
    0x94: () => memo.set(memo.size, top()), // MEMOIZE
    0x68: () => stack.push(remembered(byte())), // BINGET
    0x6a: () => stack.push(remembered(uint32())), // LONG_BINGET
    0x63: () => stack.push(names.known(`${line()}.${line()}`)), // GLOBAL
    0x93: stackGlobal, // STACK_GLOBAL
    0x52: call, // REDUCE
    0x81: call, // NEWOBJ
    0x62: build, // BUILD
    0x51: () => stack.push(names.persistent(pop())), // BINPERSID
    0x95: () => take(8) && undefined, // FRAME
  }

  if (byte() !== 0x80) refuse('its pickle has no protocol (2 to 5)')
  const protocol = byte()
  if (protocol < 2 || protocol > 5) refuse(`its pickle has protocol ${protocol}, not 2 to 5`)
  for (let code = byte(); code !== 0x2e; code = byte()) {
    const operation = operations[code]
    if (!operation) return refuse(`its pickle has the opcode 0x${code.toString(16)}, which no checkpoint needs`)
    operation()
  }
  const result = pop()
  if (stack.length || at !== bytes.length) refuse('its pickle does not end where it should')
  stack = []
  return result
}
