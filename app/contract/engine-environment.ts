/**
 * Set for the process that runs the models, where the C library is glibc. A layer's results are up to hundreds of megabytes, and by
 * default each would be mapped, filled with zeros by the kernel and given back: a tenth of the time of a step. So they come from
 * one heap that keeps up to half a gigabyte (docs/decisions.md). Other systems take no notice.
 */
export const engineEnvironment: Readonly<Record<string, string>> = {
  GLIBC_TUNABLES: [
    'glibc.malloc.mmap_threshold=4294967296',
    'glibc.malloc.trim_threshold=536870912',
    'glibc.malloc.arena_max=1',
  ].join(':'),
}
