import { PbfWriter } from 'pbf'
import type { DType, Shape, Tensor } from '#app/tensor/tensor.ts'
import type { Attribute, Body, Graph, Node, Value } from './graph.ts'
import { ops } from './ops/ops.ts'

/** Field numbers and codes below are those of onnx.proto (IR version 10, opset 21). */
const irVersion = 10
const opset = 21
const contribOpset = 1

const elementType: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
}
const attributeType = { float: 1, int: 2, string: 3, graph: 5, ints: 7 }
const floatAttributes = new Set(['alpha', 'beta', 'epsilon', 'scale'])
const external = 1

/** Outputs stand under names of their own, because a model may call an input and an output the same. */
export const outputPrefix = 'out:'

/**
 * Where a weight lies for onnxruntime: a path relative to the folder that the session is given, with forward slashes.
 */
export type Locate = (file: string) => string

/** The graph as an ONNX model. Weights stay in their files: the model only says where they are. */
export function writeOnnx(graph: Graph, locate: Locate): Uint8Array {
  const out = new PbfWriter(new Uint8Array(roughSize(graph)))
  out.writeVarintField(1, irVersion)
  out.writeStringField(2, 'frameloom')
  out.writeMessage(7, writeGraph, { graph, locate })
  out.writeMessage(8, writeOpset, { domain: '', version: opset })
  out.writeMessage(8, writeOpset, { domain: 'com.microsoft', version: contribOpset })
  return out.finish()
}

/** About the bytes of the model, so that they are seldom copied while it is written. */
function roughSize({ nodes, known }: Graph): number {
  let bytes = 400 * (nodes.length + known.size)
  for (const content of known.values()) {
    if ('constant' in content) bytes += content.constant.data.byteLength
    else if ('bytes' in content.weight.source) bytes += content.weight.source.bytes.length
  }
  return bytes
}

function writeOpset({ domain, version }: { domain: string; version: number }, out: PbfWriter): void {
  out.writeStringField(1, domain)
  out.writeVarintField(2, version)
}

function writeGraph({ graph, locate }: { graph: Graph; locate: Locate }, out: PbfWriter): void {
  const names = new Map<Value, string>()
  for (const { name, value } of graph.outputs) names.set(value, outputPrefix + name)
  // Names of weights are long, and onnxruntime looks names up very often while it opens a graph.
  for (const [value, known] of graph.known)
    if ('weight' in known && !names.has(value)) names.set(value, `weight_${names.size}`)
  const nameOf: NameOf = (value) => (value ? (names.get(value) ?? value.name) : '')

  graph.nodes.forEach((node, index) => {
    out.writeMessage(1, writeNode, { node, index, nameOf })
  })
  out.writeStringField(2, graph.name)
  for (const [value, known] of graph.known) {
    if ('constant' in known) out.writeMessage(5, writeConstant, { name: nameOf(value), tensor: known.constant })
    else if ('bytes' in known.weight.source)
      out.writeMessage(5, writeRaw, { ...known.weight, name: nameOf(value), bytes: known.weight.source.bytes })
    else
      out.writeMessage(5, writeExternal, {
        ...known.weight,
        ...known.weight.source,
        name: nameOf(value),
        location: locate(known.weight.source.file),
      })
  }
  for (const value of graph.inputs) out.writeMessage(11, writeValueInfo, { name: nameOf(value), value })
  for (const { name, value } of graph.outputs)
    out.writeMessage(12, writeValueInfo, { name: outputPrefix + name, value })
}

function writeNode(
  { node, index, nameOf }: { node: Node; index: number | string; nameOf: NameOf },
  out: PbfWriter,
): void {
  for (const input of node.inputs) out.writeStringField(1, nameOf(input))
  for (const output of node.outputs) out.writeStringField(2, nameOf(output))
  out.writeStringField(3, `${node.path}/${node.op}_${index}`)
  out.writeStringField(4, node.op)
  for (const [name, value] of Object.entries(node.attributes)) out.writeMessage(5, writeAttribute, { name, value })
  if (node.body) out.writeMessage(5, writeBodyAttribute, { body: node.body, index, nameOf })
  out.writeStringField(7, ops[node.op].domain)
}

function writeAttribute({ name, value }: { name: string; value: Attribute }, out: PbfWriter): void {
  out.writeStringField(1, name)
  if (name === 'to') {
    out.writeVarintField(3, elementType[value as DType])
    out.writeVarintField(20, attributeType.int)
  } else if (typeof value === 'string') {
    out.writeBytesField(4, new TextEncoder().encode(value))
    out.writeVarintField(20, attributeType.string)
  } else if (typeof value !== 'number') {
    for (const item of value) out.writeVarintField(8, item)
    out.writeVarintField(20, attributeType.ints)
  } else if (floatAttributes.has(name)) {
    out.writeFloatField(2, value)
    out.writeVarintField(20, attributeType.float)
  } else {
    out.writeVarintField(3, value)
    out.writeVarintField(20, attributeType.int)
  }
}

type NameOf = (value: Value | null) => string

function writeBodyAttribute(content: { body: Body; index: number | string; nameOf: NameOf }, out: PbfWriter): void {
  out.writeStringField(1, 'body')
  out.writeMessage(6, writeBody, content)
  out.writeVarintField(20, attributeType.graph)
}

function writeBody(
  { body, index, nameOf }: { body: Body; index: number | string; nameOf: NameOf },
  out: PbfWriter,
): void {
  body.nodes.forEach((node, i) => {
    out.writeMessage(1, writeNode, { node, index: `${index}_${i}`, nameOf })
  })
  out.writeStringField(2, `body_${index}`)
  for (const value of body.inputs) out.writeMessage(11, writeValueInfo, { name: nameOf(value), value })
  out.writeMessage(12, writeValueInfo, { name: nameOf(body.output), value: body.output })
}

type Raw = { name: string; dtype: DType; shape: Shape; bytes: Uint8Array }

function writeHead({ name, dtype, shape }: { name: string; dtype: DType; shape: Shape }, out: PbfWriter): void {
  for (const size of shape) out.writeVarintField(1, size)
  out.writeVarintField(2, elementType[dtype])
  out.writeStringField(8, name)
}

function writeRaw(raw: Raw, out: PbfWriter): void {
  writeHead(raw, out)
  out.writeBytesField(9, raw.bytes)
}

function writeConstant({ name, tensor }: { name: string; tensor: Tensor }, out: PbfWriter): void {
  const { buffer, byteOffset, byteLength } = tensor.data
  writeRaw(
    { name, dtype: tensor.dtype, shape: tensor.shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) },
    out,
  )
}

type External = { name: string; dtype: DType; shape: Shape; location: string; offset: number; length: number }

function writeExternal(weight: External, out: PbfWriter): void {
  writeHead(weight, out)
  const entries = { location: weight.location, offset: String(weight.offset), length: String(weight.length) }
  for (const [key, value] of Object.entries(entries)) out.writeMessage(13, writeEntry, { key, value })
  out.writeVarintField(14, external)
}

function writeEntry({ key, value }: { key: string; value: string }, out: PbfWriter): void {
  out.writeStringField(1, key)
  out.writeStringField(2, value)
}

function writeValueInfo({ name, value }: { name: string; value: Value }, out: PbfWriter): void {
  out.writeStringField(1, name)
  out.writeMessage(2, writeType, value)
}

function writeType(value: Value, out: PbfWriter): void {
  out.writeMessage(1, writeTensorType, value)
}

function writeTensorType(value: Value, out: PbfWriter): void {
  out.writeVarintField(1, elementType[value.dtype])
  out.writeMessage(2, writeShape, value.shape)
}

function writeShape(shape: Shape, out: PbfWriter): void {
  for (const size of shape) out.writeMessage(1, writeDimension, size)
}

function writeDimension(size: number, out: PbfWriter): void {
  out.writeVarintField(1, size)
}
