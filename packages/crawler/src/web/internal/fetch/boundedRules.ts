/**
 * robots-parser reads a robots.txt as it is: it stores each rule once for each agent of its group, and matches a rule in the time of its length by that of
 * the path. Both can be made to take all memory, or seconds for each URL, by a file of 500 KiB. So it is given less: of the groups only those that count, and of
 * rules only what can be matched in bounded time.
 *
 * What is beyond the bounds is bent towards not fetching: a Disallow is cut to what stands before, which matches more; an Allow is dropped.
 */

/** Longer than any URL that is fetched. */
const maxPatternLength = 2048
/** No rule that means something needs more. */
const maxWildcards = 8
/** So many rules with wildcards, each tried on the longest URL, take 25 ms. */
const maxWildcardRules = 500
/** Enough for 50 million pages. */
const maxSitemaps = 1000

/** The lines of a robots.txt that say something to an agent, within bounds. */
export const boundedRules = (text: string, agent: string): string => {
  const kept: Array<string> = []
  /** The agents named in a row, before what applies to them. */
  let named: Set<string> | undefined
  let applies = false
  let wildcardRules = 0
  let sitemaps = 0

  const beginGroup = (): void => {
    if (named === undefined) return
    applies = named.size > 0
    for (const name of named) kept.push(`User-agent: ${name}`)
    // A group without rules allows everything to those it names, who then do not go by the rules for all.
    if (applies) kept.push("Disallow:")
    named = undefined
  }

  for (const line of text.split(/\r\n|\r|\n/)) {
    const colon = line.indexOf(":")
    const comment = line.indexOf("#")
    if (colon === -1 || comment !== -1 && comment < colon) continue
    const directive = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1, comment === -1 ? undefined : comment).trim()
    if (directive === "user-agent") {
      named ??= new Set()
      const name = /^[^\s/]*/.exec(value)![0].toLowerCase()
      if (name === agent || name === "*") named.add(name)
      continue
    }
    beginGroup()
    if (directive === "sitemap") {
      sitemaps += 1
      if (sitemaps <= maxSitemaps && value.length <= maxPatternLength) kept.push(`Sitemap: ${value}`)
    } else if (applies && (directive === "allow" || directive === "disallow")) {
      const pattern = value.replaceAll(/\*+/g, "*")
      if (pattern.includes("*")) wildcardRules += 1
      const most = pattern.slice(0, endOfBounds(pattern, wildcardRules <= maxWildcardRules ? maxWildcards : 0))
      if (most === pattern || directive === "disallow") kept.push(`${directive}: ${most}`)
    } else if (applies && directive === "crawl-delay") {
      kept.push(`Crawl-delay: ${value}`)
    }
  }
  beginGroup()
  return kept.join("\n")
}

/** Where a pattern has to be cut, to be no longer than it may, and have no more wildcards. */
const endOfBounds = (pattern: string, wildcards: number): number => {
  let at = -1
  for (let seen = 0; seen <= wildcards; seen += 1) {
    at = pattern.indexOf("*", at + 1)
    if (at === -1) return maxPatternLength
  }
  return Math.min(at, maxPatternLength)
}
