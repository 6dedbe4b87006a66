import { Parser } from "htmlparser2"

export interface Listed {
  readonly kind: "page" | "sitemap"
  readonly url: URL
  readonly lastModified: string | undefined
}

interface Problem {
  readonly reason: "NotASitemap" | "Unfinished"
  readonly detail: string
}

export interface SitemapReader {
  /** What a piece of the document adds. */
  readonly write: (text: string) => ReadonlyArray<Listed>
  /** What the end of it adds. */
  readonly end: () => ReadonlyArray<Listed>
  /** Whether there is no use in reading on. */
  readonly isHopeless: () => boolean
  /** Entries so far that are no usable URLs. */
  readonly passedOver: () => number
  /** What is wrong with all that was written. */
  readonly problem: () => Problem | undefined
}

/** A longer one is none that a sitemap may list. */
const maxUrlLength = 2048

/** Reads a sitemap piece by piece: as XML if it begins with `<`, as lines of text if not. */
export const make = (base: URL): SitemapReader => {
  let passedOver = 0
  let listed: Array<Listed> = []
  let chosen: Format | undefined

  const list = (kind: Listed["kind"], location: string, lastModified: string | undefined): void => {
    const trimmed = location.trim()
    const url = trimmed === "" || trimmed.length > maxUrlLength ? null : URL.parse(trimmed, base.href)
    if (url !== null && /^https?:$/.test(url.protocol)) listed.push({ kind, url, lastModified })
    else passedOver += 1
  }
  const taken = (): ReadonlyArray<Listed> => {
    const all = listed
    listed = []
    return all
  }
  const choose = (text: string): Format | undefined => {
    const first = text.trimStart()
    if (first === "") return undefined
    return first.startsWith("<") ? xml(list) : lines(list)
  }

  return {
    write: (text) => {
      chosen ??= choose(text)
      chosen?.write(text)
      return taken()
    },
    end: () => {
      chosen?.end()
      return taken()
    },
    isHopeless: () => chosen?.problem()?.reason === "NotASitemap" && chosen.hasBegun(),
    passedOver: () => passedOver,
    problem: () => chosen === undefined ? { reason: "NotASitemap", detail: "it is empty" } : chosen.problem()
  }
}

interface Format {
  readonly write: (text: string) => void
  readonly end: () => void
  /** Whether enough was read to know what it is. */
  readonly hasBegun: () => boolean
  readonly problem: () => Problem | undefined
}

type List = (kind: Listed["kind"], location: string, lastModified: string | undefined) => void

const lines = (list: List): Format => {
  let rest = ""
  const line = (text: string): void => {
    if (text.trim() !== "") list("page", text, undefined)
  }
  return {
    write: (text) => {
      const all = (rest + text).split(/\r\n|\r|\n/)
      // Of a line without end no more is kept than shows that it is too long.
      rest = all.pop()!.slice(0, maxUrlLength + 1)
      for (const one of all) line(one)
    },
    end: () => line(rest),
    hasBegun: () => true,
    problem: () => undefined
  }
}

/** Deeper than any extension of the protocol goes. The parser's work grows with the square of it. */
const maxNesting = 32

const kinds: Readonly<Record<string, readonly [entry: string, kind: Listed["kind"]]>> = {
  urlset: ["url", "page"],
  sitemapindex: ["sitemap", "sitemap"]
}

const xml = (list: List): Format => {
  /** Open elements, of which only the first four matter: root, entry, and what is in it. */
  let depth = 0
  let prefix = ""
  let root: string | undefined
  let isClosed = false
  let isTooDeep = false
  let entry: { location: string; lastModified: string; isLocated: boolean } | undefined
  let field: "location" | "lastModified" | undefined

  const local = (name: string): string => prefix !== "" && name.startsWith(prefix) ? name.slice(prefix.length) : name

  const parser = new Parser({
    onopentag: (name) => {
      depth += 1
      if (depth > maxNesting) {
        isTooDeep = true
        return parser.pause()
      }
      if (depth === 1 && root === undefined) {
        prefix = name.slice(0, name.indexOf(":") + 1)
        root = local(name)
      }
      const [entryName] = kinds[root!] ?? []
      if (depth === 2 && local(name) === entryName) entry = { location: "", lastModified: "", isLocated: false }
      if (depth === 3 && entry !== undefined) {
        field = local(name) === "loc" ? "location" : local(name) === "lastmod" ? "lastModified" : undefined
      }
    },
    ontext: (text) => {
      // No more is kept than shows that it is too long.
      if (field !== undefined && depth === 3 && entry![field].length <= maxUrlLength) entry![field] += text
    },
    onclosetag: (_, isImplied) => {
      // What the parser closes itself, since the document does not, may be cut.
      if (depth === 3 && entry !== undefined && field !== undefined) {
        if (field === "location") entry.isLocated = !isImplied
        else if (isImplied) entry.lastModified = ""
        field = undefined
      }
      if (depth === 2 && entry !== undefined) {
        if (entry.isLocated || !isImplied) {
          list(kinds[root!]![1], entry.location, entry.lastModified.trim() || undefined)
        }
        entry = undefined
      }
      if (depth === 1 && !isImplied) isClosed = true
      depth -= 1
    }
  }, { xmlMode: true })

  return {
    write: (text) => {
      if (!isTooDeep) parser.write(text)
    },
    end: () => {
      if (!isTooDeep) parser.end()
    },
    hasBegun: () => root !== undefined,
    problem: () => {
      if (isTooDeep) {
        return { reason: "NotASitemap", detail: `its elements lie deeper in each other than ${maxNesting}` }
      }
      if (root === undefined || !(root in kinds)) {
        const found = root === undefined ? "no element" : `<${root.slice(0, 100)}>`
        return { reason: "NotASitemap", detail: `it begins with ${found}; expected <urlset> or <sitemapindex>` }
      }
      return isClosed
        ? undefined
        : { reason: "Unfinished", detail: `it ends before </${root}>; what was there was read` }
    }
  }
}
