import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'

const folders = ['main/studio', 'main/studio/media', 'main/serve', 'main/electron']

test('hosts make paths through insideStore only; the others lead to files of the app itself', () => {
  const files = folders.flatMap((folder) =>
    readdirSync(join(appRoot(), folder))
      .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|^testing\.ts$|^test-/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  expect(files.length).toBeGreaterThan(30)
  const makers = files.filter((file) => {
    const text = readFileSync(join(appRoot(), file), 'utf8')
    return /import \{[^}]*\b(join|resolve|normalize)\b[^}]*\} from 'node:path'|from 'node:path\/|\* as \w+ from 'node:path'/.test(
      text,
    )
  })
  expect(makers).toEqual(['main/studio/page-dir.ts', 'main/serve/main.ts', 'main/electron/studio-window.ts'])
})
