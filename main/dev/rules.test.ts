import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

// Rules of the house that no tool checks.
const root = path.join(import.meta.dirname, '../..')
const isText = /\.(ts|tsx|mjs|cjs|js|json|css|html|md|yml|svg)$/
const isCode = /\.(ts|tsx|mjs|cjs|js)$/
const generated = new Set([
  'node_modules',
  'dist',
  'release',
  'test-results',
  'playwright-report',
  'coverage',
  '.cache',
])

const files = readdirSync(root, { withFileTypes: true })
  .filter((entry) => !generated.has(entry.name) && !['.git', 'package-lock.json'].includes(entry.name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(path.join(root, entry.name), { recursive: true, encoding: 'utf8' }).map(
          (file) => `${entry.name}/${file}`,
        )
      : [entry.name],
  )
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => isText.test(file) && file !== 'main/dev/rules.test.ts')
  .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))
const code = files.filter(({ file }) => isCode.test(file))

const withMatch = (list: typeof files, pattern: RegExp): string[] =>
  list.flatMap(({ file, text }) => {
    const match = pattern.exec(text)
    return match ? [`${file}: ${match[0]}`] : []
  })

describe('the repository', () => {
  it('has the top level that README.md and docs describe', () => {
    const wanted = [
      'app',
      'main',
      'renderer',
      'resources',
      'e2e',
      'docs',
      'electron-builder.yml',
      'README.md',
      'LICENSE',
    ]
    expect(wanted.filter((name) => !existsSync(path.join(root, name)))).toEqual([])
    expect(code.length).toBeGreaterThan(100)
  })

  it('names no folder of the machine it was written on', () => {
    expect(withMatch(files, /(?<![\w.$}])\/(work|tmp|root)\/[\w.-]*/)).toEqual([])
  })

  it('keeps files below 400 lines, but for tables', () => {
    const long = code.filter(({ file, text }) => !/table/.test(file) && text.trimEnd().split('\n').length > 400)
    expect(long.map(({ file }) => file)).toEqual([])
  })

  it('has no barrels but that of the graph', () => {
    const barrels = code.filter(({ file }) => /\/index\.tsx?$/.test(file) && file !== 'app/graph/index.ts')
    expect(barrels.map(({ file }) => file)).toEqual([])
  })

  it('leaves no work for later in comments', () => {
    expect(withMatch(code, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([])
  })

  it('skips no test without a condition and a reason', () => {
    expect(withMatch(code, /\b(it|test|describe)\.(only|todo)\(|\b(it|test|describe)\.skip\(\s*['"`]/)).toEqual([])
  })

  it('opens no ONNX model but what its own compiler wrote', () => {
    const product = code.filter(({ file }) => !/\.test\.ts$/.test(file))
    expect(withMatch(product, /InferenceSession\.create\(.*/)).toEqual([
      'app/runtime/session.ts: InferenceSession.create(model, {',
    ])
    const session = code.find(({ file }) => file === 'app/runtime/session.ts')!.text
    expect(session.match(/\bmodel = .*/g)).toEqual([expect.stringMatching(/^model = writeOnnx\(graph, /)])
    // No file is taken for one either.
    expect(withMatch(product, /['"`.]onnx['"`]/i)).toEqual([])
  })

  it('silences the type checker nowhere', () => {
    expect(withMatch(code, /@ts-(ignore|nocheck)/)).toEqual([])
  })
})
