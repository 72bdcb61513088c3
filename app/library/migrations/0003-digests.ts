import type { Migration } from '../migrate.ts'

/** As results have them: one letter that the disk changed leaves a row that can be read. Older rows have none. */
export const digests: Migration = {
  version: 3,
  statements: ['settings', 'jobs', 'processor_maps'].map((table) => `ALTER TABLE ${table} ADD COLUMN digest TEXT`),
}
