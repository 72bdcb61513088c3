/** Names that try to leave a folder, on one platform or another. For tests of everything that takes a name or an id. */
const ups = [
  '..',
  '../',
  '..\\',
  '/..',
  '\\..',
  './..',
  '.\\..',
  '..;',
  '...',
  '....',
  '.. ',
  '..\u0000',
  '.',
  './',
  '',
]
const targets = ['secret', 'etc/passwd', 'windows\\win.ini', 'store-twin/a', 'library.sqlite']
const encoded = [
  '%2e%2e',
  '%2E%2E',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '%uff0e%uff0e',
  '..%2f',
  '..%5c',
  '%2e%2e%2f',
  '..%00',
]
const roots = [
  '/',
  '//',
  '\\',
  '\\\\server\\share\\',
  '\\\\?\\C:\\',
  '\\\\.\\',
  'C:\\',
  'C:',
  'c:/',
  'file:///',
  'studio://app/',
  '~/',
  '~root/',
]
const devices = [
  'con',
  'CON',
  'prn',
  'aux',
  'nul',
  'NUL.webp',
  'com1',
  'COM1.txt',
  'com¹',
  'lpt9',
  'LPT1.webp',
  'conin$',
  'CONOUT$',
]
const controls = ['\u0000', 'a\u0000', 'a\u0000.webp', 'a\nb', 'a\rb', '\u001b[2J', 'a\u007f']
const streams = ['a:b', 'a.webp::$DATA', 'a.webp:stream', '::$INDEX_ALLOCATION']
const endings = ['a.', 'a ', 'a. .', 'a...', '.. .']
const patterns = ['*', '?', 'a*', '<a>', '"a"', 'a|b', '|', '>', '<']

const depth = [1, 2, 3, 5, 8]
export const hostileNames: readonly string[] = [
  ...new Set([
    ...ups.filter((up) => up !== '....'),
    ...['....'],
    ...depth.flatMap((n) =>
      targets.flatMap((target) =>
        ['../', '..\\', './../', '..//', '.././', 'a/../../'].map((up) => up.repeat(n) + target),
      ),
    ),
    ...encoded.flatMap((up) => targets.flatMap((target) => [`${up}/${target}`, `${up}\\${target}`])),
    ...roots.flatMap((root) => targets.map((target) => root + target)),
    ...devices,
    ...controls.flatMap((bad) => [bad, `x${bad}`, `${bad}x`, `${bad}/../secret`]),
    ...streams,
    ...endings,
    ...patterns.flatMap((bad) => [bad, `x${bad}`]),
    ...roots,
    'a'.repeat(256),
    'é'.repeat(200),
    '../'.repeat(2000),
    'store/../../secret',
    'clips/../../secret',
  ]),
]
