import { join } from 'node:path'
import { appRoot } from '#main/paths.ts'

/** The built page, as both hosts serve it. */
export const rendererDir = (): string => join(appRoot(), 'dist', 'renderer')
