import type { Migration } from '../migrate.ts'

export const processorMaps: Migration = {
  version: 2,
  statements: [
    `CREATE TABLE processor_maps (
       name TEXT PRIMARY KEY NOT NULL,
       saved_at INTEGER NOT NULL,
       processors TEXT NOT NULL
     ) STRICT`,
  ],
}
