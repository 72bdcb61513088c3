/** One after the other: they read files, and a failure is that of the first. */
export async function inOrder<T, U>(items: readonly T[], each: (item: T, index: number) => Promise<U>): Promise<U[]> {
  const done: U[] = []
  for (const [i, item] of items.entries()) done.push(await each(item, i))
  return done
}
