import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import type { Problem } from '#app/contract/errors.ts'
import { notFinite } from '#app/contract/not-finite.ts'
import { aJob } from '#renderer/store/testing.ts'
import { RunAgain } from './run-again.tsx'

const buttons = (problem: Problem): string[] => {
  const html = renderToStaticMarkup(<RunAgain job={aJob({ status: 'failed', problem })} />)
  return [...html.matchAll(/>([^<]+)<\/button>/g)].map(([, text]) => text!)
}

test('float32 is offered where it may help, and not where a file is damaged', () => {
  const gone = (precision: 'int8' | 'float32') => notFinite('NaN', { provider: 'cpu', precision }, '').problem
  expect(buttons(gone('int8'))).toEqual(['Try in float32', 'Run again'])
  expect(buttons(gone('float32'))).toEqual(['Run again'])
  expect(buttons({ code: 'not-finite', message: '', field: 'conv_in.bias', file: 'a.safetensors' })).toEqual([
    'Run again',
  ])
})
