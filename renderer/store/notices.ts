const heard = new Set<string>()

/** Those of the host's notices that this page has not told yet: each new line to the host brings them again. */
export function unheard(notices: readonly string[]): string[] {
  const news = notices.filter((notice) => !heard.has(notice))
  for (const notice of news) heard.add(notice)
  return news
}
