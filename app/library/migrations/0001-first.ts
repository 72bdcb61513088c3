import type { Migration } from '../migrate.ts'

/** Rows keep their data as JSON, checked by zod when read; `digest` tells a row that the disk changed. */
export const first: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE results (
       id TEXT PRIMARY KEY NOT NULL,
       kind TEXT NOT NULL,
       created_at INTEGER NOT NULL,
       data TEXT NOT NULL,
       digest TEXT NOT NULL
     ) STRICT`,
    `CREATE INDEX results_by_time ON results (created_at)`,
    `CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT`,
    `CREATE TABLE jobs (
       id TEXT PRIMARY KEY NOT NULL,
       created_at INTEGER NOT NULL,
       job TEXT NOT NULL,
       request TEXT NOT NULL
     ) STRICT`,
    `CREATE TABLE set_aside (
       at INTEGER NOT NULL,
       origin TEXT NOT NULL,
       key TEXT NOT NULL,
       value TEXT NOT NULL,
       reason TEXT NOT NULL
     ) STRICT`,
  ],
}
