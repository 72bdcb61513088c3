/**
 * What the studio needs of the limits that a shell or a service sets. Below these it ends with a stack of another
 * library, or cannot write a clip; tried with Node 24 on Linux.
 */
const needs = {
  /** Bundles, packages and the database are read at once; a page has dozens of lines. */
  open_files: { least: 128, name: 'open files', option: 'n', unit: 1, unitName: '' },
  /** Of one file: the library, or a clip. */
  file_size_blocks: { least: 64 * 2 ** 20, name: 'the size of a file', option: 'f', unit: 1024, unitName: ' KiB' },
  /** Host and engine end at 2 GB before they are up; the engine maps the weights of its models, too. */
  virtual_memory_bytes: { least: 4 * 2 ** 30, name: 'addresses', option: 'v', unit: 1024, unitName: ' KiB' },
} as const

type Limits = Partial<Record<string, { soft: number | 'unlimited' }>>

/** Of this process; none under Windows, which has no such limits. */
function limitsNow(): Limits {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean }
  report.excludeNetwork = true // looking up names can take seconds
  return (report.getReport() as { userLimits?: Limits }).userLimits ?? {}
}

/** What keeps the studio from running, in words; undefined where nothing does. */
export function limitProblem(limits = limitsNow()): string | undefined {
  for (const [key, { least, name, option, unit, unitName }] of Object.entries(needs)) {
    const soft = limits[key]?.soft ?? 'unlimited'
    if (soft === 'unlimited' || soft >= least) continue
    const words = (value: number): string => `${Math.floor(value / unit)}${unitName}`
    return (
      `The limit for ${name} is ${words(soft)} here, and Frameloom needs ${words(least)}. ` +
      `Raise it and start again, in a shell with: ulimit -${option} ${option === 'n' ? 1024 : 'unlimited'}`
    )
  }
  return undefined
}
