import type { Tensor } from '#app/tensor/tensor.ts'
import type { Node, Value } from './graph.ts'
import type { Operands, Outline } from './ops/op.ts'
import { ops } from './ops/ops.ts'

type Use = Pick<Node, 'op' | 'inputs' | 'attributes' | 'body'>

/**
 * Checks the number of inputs and the attributes of one use of an operator. Throws an Error that names the operator.
 */
export function checkUse({ op: name, inputs, attributes }: Use): void {
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
}

/** The same, and tells what it yields from its inputs' types and shapes. */
export function checkNode(use: Use, constantOf: (value: Value) => Tensor): Outline[] {
  checkUse(use)
  const { op: name, inputs, attributes, body } = use
  try {
    return ops[name].infer(inputs as unknown as Operands, attributes, constantOf, body)
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause })
  }
}
