import { z } from 'zod'

/**
 * An activation by a name that diffusers knows, in any case. Source:
 * diffusers/src/diffusers/models/activations.py@58eb52c.
 */
export const activationName = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['swish', 'silu', 'mish', 'gelu', 'relu']))
