import { readFileSync } from 'node:fs'

/**
 * Pages of this process in memory, in bytes, and those of them that are not backed by a file. Linux tells (proc(5):
 * VmRSS, RssAnon); elsewhere the anonymous part is what V8 and its buffers hold, which leaves native allocations out.
 */
export function readMemory(): { residentBytes: number; anonymousBytes: number } {
  if (process.platform === 'linux') {
    const status = readFileSync('/proc/self/status', 'utf8')
    const kilobytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
    return { residentBytes: kilobytes('VmRSS') * 1024, anonymousBytes: kilobytes('RssAnon') * 1024 }
  }
  const { rss, heapTotal, external } = process.memoryUsage()
  return { residentBytes: rss, anonymousBytes: heapTotal + external }
}
