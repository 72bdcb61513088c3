import { Option } from 'commander'
import type { LocatedModel } from '#app/contract/engine.ts'
import type { MediaRef } from '#app/contract/media-refs.ts'
import type { Fields } from '#app/contract/pipelines/fields.ts'

export type Given = Partial<Fields>

/**
 * An option of every pipeline that has its fields. Its value is the field's own, unless `read` makes them of it, or
 * `find` does, for which the models must be known, or `media` does of the files that it names.
 */
export type FieldOption = {
  readonly option: Option
  readonly fields: readonly (keyof Fields)[]
  readonly read?: (value: never) => Given | Promise<Given>
  readonly find?: (value: never, models: readonly LocatedModel[]) => Given
  /** For files that a run reads, named once or more often. */
  readonly media?: (refs: readonly MediaRef[], value: never) => Given
  /** The files among its value, where not all of it is files. */
  readonly files?: (value: never) => readonly string[]
}

export const option = (flags: string, about: string): Option => new Option(flags, about)
