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

  // ESLint's own rule for it is deprecated.
  it('ends lines at 120 columns, comments too, but for strings and addresses', () => {
    const isComment = /^\s*(\/\/|\/?\*)/
    const string = /(['"`])(?:\\.|(?!\1).)*\1/g
    const isLong = (line: string): boolean => {
      if (line.length <= 120 || /https?:|prettier-ignore/.test(line)) return false
      const rest = isComment.test(line) ? line : line.replaceAll(string, "''")
      return rest.length > 120 || / \/\/ /.test(rest)
    }
    const styled = files.filter(({ file }) => isCode.test(file) || file.endsWith('.css'))
    const long = styled.flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, i) => (isLong(line) ? [`${file}:${i + 1}: ${line.length} columns`] : [])),
    )
    expect(long).toEqual([])
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

describe('the documents', () => {
  const documents = files.filter(({ file }) => file.endsWith('.md'))
  const headings = (file: string): string[] =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!)
  // As GitHub makes the names of headings.
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')

  it('link to files and headings that exist', () => {
    const links = documents.flatMap(({ file, text }) =>
      [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([link, to, name]) => {
        const target = to ? path.posix.join(path.posix.dirname(file), to) : file
        const found = existsSync(path.join(root, target)) && (!name || headings(target).map(slug).includes(name))
        return { link: `${file}: ${link}`, found }
      }),
    )
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter(({ found }) => !found)).toEqual([])
  })

  it('name files and folders that exist', () => {
    const inHouse = /(?<![\w./])(?:app|main|renderer|e2e|docs)\/[\w./-]*[\w/](?![\w<])/g
    const named = documents.flatMap(({ file, text }) => [...text.matchAll(inHouse)].map(([name]) => ({ file, name })))
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter(({ name }) => !existsSync(path.join(root, name)))).toEqual([])
  })

  it('hold what a comment cites, by file and heading', () => {
    // A citation may go over the end of a comment's line.
    const comments = code.map(({ file, text }) => ({ file, text: text.replace(/\s*\n\s*(\*|\/\/)\s?/g, ' ') }))
    const cited = comments.flatMap(({ file, text }) =>
      [...text.matchAll(/(?<![\w/.])docs\/[\w./-]*\w(?:, "([^"]*)")?/g)].map(([citation, title]) => {
        const target = citation.split(',')[0]!
        const needsTitle = target.startsWith('docs/decisions')
        const isHere = existsSync(path.join(root, target))
        const found = isHere && (title ? headings(target).some((line) => untilDate(line) === title) : !needsTitle)
        return { citation: `${file}: ${citation}`, found }
      }),
    )
    expect(cited.length).toBeGreaterThan(10)
    expect(cited.filter(({ found }) => !found)).toEqual([])
  })

  it('date each decision and list it in the index', () => {
    const index = documents.find(({ file }) => file === 'docs/decisions/README.md')!.text
    const decisions = documents.filter(({ file, text }) => file.startsWith('docs/decisions/') && text !== index)
    const missing = decisions.flatMap(({ file, text }) =>
      [...text.matchAll(/^## (.*)$/gm)]
        .map((match) => match[1]!)
        .filter((line) => {
          const link = `[${untilDate(line)}](${path.posix.basename(file)}#${slug(line)})`
          return untilDate(line) === line || !index.includes(link)
        }),
    )
    expect(decisions.length).toBeGreaterThan(5)
    expect(missing).toEqual([])
  })
})

/** A heading of a decision without the date at its end. */
const untilDate = (heading: string): string => heading.replace(/ \(\d{4}-\d\d-\d\d\)$/, '')
