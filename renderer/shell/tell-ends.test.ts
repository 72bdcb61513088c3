import { expect, test } from 'vitest'
import { aJob } from '#renderer/store/testing.ts'
import { ending } from './tell-ends.ts'

test.each([
  [{ status: 'done' }, 'The clip “a red circle” is done'],
  [{ status: 'done', pipeline: 'text-to-image' }, 'The still “a red circle” is done'],
  [
    { status: 'failed', pipeline: 'video-classification', title: 'a.mp4' },
    'The classification “a.mp4” could not be made',
  ],
  [{ status: 'interrupted' }, 'The clip “a red circle” was interrupted'],
  // By the user, who knows.
  [{ status: 'cancelled' }, undefined],
] as const)('%j ends as: %s', (change, words) => expect(ending(aJob(change))).toBe(words))
