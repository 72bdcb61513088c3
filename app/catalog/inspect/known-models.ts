import type { Weights } from '#app/checkpoints/weights.ts'
import { classOf } from '#app/models/classes.ts'
import { auditKeys, type KeyAudit } from '#app/models/compile.ts'
import { parseConfig } from '#app/models/model.ts'
import { auditAdapter } from '#app/models/motion-audit.ts'

/**
 * Compares a config and weights with the architecture. Throws what is wrong with the config, or what it asks for that
 * is not supported.
 */
type Audit = (config: Readonly<Record<string, unknown>>, weights: Weights) => KeyAudit

/** The audit of a class that a config names; undefined for one that is not run here. */
export function auditOf(className: string): Audit | undefined {
  if (className === 'MotionAdapter') return auditAdapter
  const model = classOf(className)
  return model && ((json, weights) => auditKeys(model, parseConfig(model, json), weights))
}
