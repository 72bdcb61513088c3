import { randomUUID } from 'node:crypto'

/**
 * Ids of results, jobs and uploads: lower-case UUIDs, so that a name in a folder and an id on the wire are the same
 * string.
 */
export const newId = (): string => randomUUID()

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for what `newId` makes, and for nothing that could be a path. */
export const isId = (text: unknown): text is string => typeof text === 'string' && pattern.test(text)
