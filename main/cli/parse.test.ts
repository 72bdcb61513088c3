import { expect, test } from 'vitest'
import { chunking, freeU, integer, lora, number, sampling, schedulerConfig, size } from './parse.ts'
import { controlNet, sparseControl, steering } from './parse-steering.ts'

test.each([
  [size, '512x320', { width: 512, height: 320 }],
  [freeU, '0.9,0.2,1.5,1.6', { s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 }],
  [freeU, 'sd1.5', { b1: 1.5, b2: 1.6, s1: 0.9, s2: 0.2 }],
  [freeU, 'SD 2.1', { b1: 1.4, b2: 1.6, s1: 0.9, s2: 0.2 }],
  [freeU, 'off', null],
  [chunking, '2', { chunkSize: 2, dim: 0 }],
  [chunking, '4,1', { chunkSize: 4, dim: 1 }],
  [lora, 'night', { wanted: 'night', scale: 1 }],
  [lora, 'styles/night.safetensors:0.75', { wanted: 'styles/night.safetensors', scale: 0.75 }],
  [lora, 'night:-1', { wanted: 'night', scale: -1 }],
  [lora, 'C:\\styles\\night.safetensors', { wanted: 'C:\\styles\\night.safetensors', scale: 1 }],
  [controlNet, 'depth', { wanted: 'depth', scale: 1, start: 0, end: 1, detect: 'none' }],
  [controlNet, 'nets/a,b.pth:0.8', { wanted: 'nets/a,b.pth', scale: 0.8, start: 0, end: 1, detect: 'none' }],
  [controlNet, 'net:0.8@0.25-.5,canny', { wanted: 'net', scale: 0.8, start: 0.25, end: 0.5, detect: 'canny' }],
  [controlNet, 'net,canny', { wanted: 'net', scale: 1, start: 0, end: 1, detect: 'canny' }],
  [sparseControl, 'rgb', { wanted: 'rgb', scale: 1, frames: [0] }],
  [sparseControl, 'rgb:0.5@0,15', { wanted: 'rgb', scale: 0.5, frames: [0, 15] }],
  [steering, 'plus.safetensors:0.6', { wanted: 'plus.safetensors', scale: 0.6 }],
  [sampling, 'even', { kind: 'even' }],
  [sampling, 'rate:2.5', { kind: 'rate', frameSampleRate: 2.5 }],
  [sampling, 'windows:4', { kind: 'windows', count: 4 }],
  [schedulerConfig, 'timestep_spacing=trailing', { timestep_spacing: 'trailing' }],
  [schedulerConfig, 'clip_sample=false, steps_offset = 1', { clip_sample: false, steps_offset: 1 }],
  [integer(0), '0', 0],
  [number(0, 4), '.5', 0.5],
] as [(text: string) => unknown, string, unknown][])('%o reads %s', (parse, text, value) => {
  expect(parse(text)).toEqual(value)
})

test.each([
  [size, ['512', '512x', '512x5e2', '-8x8', '4x4', '99999x8', ' 8x8', '512x512x3']],
  [freeU, ['1,2,3', '1,2,3,x', '1,2,3,5', '-1,1,1,1', 'SD 9', '', '0x1,1,1,1']],
  [chunking, ['0', '-1', '1,2', '1,', 'a', '1.5']],
  [lora, ['', 'night:11', 'night:1.2.3']],
  [controlNet, ['', 'net:3', 'net@0.5-2', 'net@0-1.2.3']],
  [sparseControl, ['', 'rgb@0,,1', 'rgb@999', 'rgb:9@0']],
  [sampling, ['rate', 'rate:', 'rate:0', 'windows:1', 'windows:2.5', 'every']],
  [
    schedulerConfig,
    ['', 'clip_sample', 'clip_sample=', 'clip_sample=yes', 'beta_startt=1', 'steps_offset=-1', 'rho=7'],
  ],
  [integer(1, 10), ['0', '11', '1.0', '1e1', '0x1', '', ' 1', '1 ', '٣']],
  [number(0, 1), ['1.1', '-0.1', '1e-1', 'Infinity', 'NaN', '', '1,0', '0x1']],
] as [(text: string) => unknown, string[]][])('%o refuses what is not quite right', (parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow(/must be/)
})

test('changes of a schedule that are given one after the other are all in force, the last one of a key', () => {
  const first = schedulerConfig('beta_schedule=linear,timestep_spacing=leading')
  expect(schedulerConfig('timestep_spacing=linspace', first)).toEqual({
    beta_schedule: 'linear',
    timestep_spacing: 'linspace',
  })
})
