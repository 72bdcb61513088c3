import type { Tensor } from '#app/tensor/tensor.ts'
import type { Node, Value } from './graph.ts'
import { ops, type Outline } from './ops.ts'

/** Checks one use of an operator against the op table and tells what it yields. Throws an Error that names the operator. */
export function checkNode(
  { op: name, inputs, attributes, body }: Pick<Node, 'op' | 'inputs' | 'attributes' | 'body'>,
  constantOf: (value: Value) => Tensor,
): Outline[] {
  const op = ops[name]
  const [fewest, most] = op.inputs
  if (inputs.length < fewest || inputs.length > most)
    throw new Error(`${name}: has ${inputs.length} inputs, takes ${fewest} to ${most}`)
  for (const attribute of op.attributes)
    if (!attribute.endsWith('?') && attributes[attribute] === undefined)
      throw new Error(`${name}: attribute ${attribute} is missing`)
  for (const attribute of Object.keys(attributes))
    if (!op.attributes.includes(attribute) && !op.attributes.includes(`${attribute}?`))
      throw new Error(`${name}: has no attribute ${attribute}`)
  try {
    return op.infer(inputs as readonly Value[], attributes, constantOf, body)
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause })
  }
}
