import { expect, test } from 'vitest'
import { parsePythonJson } from './python-json.ts'

test.each([
  ['{"a": NaN, "b": [-Infinity, Infinity, 1.5], "c": "NaN"}', { a: NaN, b: [-Infinity, Infinity, 1.5], c: 'NaN' }],
  ['{"say \\"NaN\\" and \\\\": Infinity}', { 'say "NaN" and \\': Infinity }],
  ['NaN', NaN],
  ['{"plain": [1, null, true]}', { plain: [1, null, true] }],
])('%s is read as Python reads it', (text, value) => expect(parsePythonJson(text)).toEqual(value))

test.each(['{"a": nan}', '{"a": NaNN}', '{"a": -NaN}', "{'a': 1}", '{"a": 1,}', '', '{"a": +Infinity}'])(
  '%j is refused, as Python refuses it',
  (text) => expect(() => parsePythonJson(text)).toThrow(SyntaxError),
)
