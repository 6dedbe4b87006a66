import type { Link, LinkKind, PageContent } from "../../PageParser.ts"
import type { Events } from "./flatParser.ts"
import { cut, readable, readText } from "./plainText.ts"
import { readDirectives } from "./robotsDirectives.ts"

// What a page says is taken from the parser's events, without a tree. An element is looked at when its tag has ended: one that the end of
// the page, or of what was fetched of it, cuts through may have half a reference.

/** What the handler needs to know. */
export interface Settings {
  readonly maxLinks: number
  readonly maxTextLength: number
  readonly maxLinkTextLength: number
  readonly robot: string
  readonly decodedText: (raw: string) => string
  readonly decodedAttribute: (raw: string) => string
}

/** Elements that are looked at, and the attribute that says where each leads. */
const elements = new Map([
  ["a", "href"],
  ["area", "href"],
  ["link", "href"],
  ["base", "href"],
  ["iframe", "src"],
  ["frame", "src"],
  ["img", "src"],
  ["script", "src"],
  ["audio", "src"],
  ["video", "src"],
  ["source", "src"],
  ["track", "src"],
  ["embed", "src"],
  ["object", "data"],
  ["meta", "content"],
  ["html", "lang"]
])

const kinds = new Map<string, LinkKind>([
  ["a", "anchor"],
  ["area", "anchor"],
  ["iframe", "frame"],
  ["frame", "frame"],
  ["img", "image"],
  ["script", "script"]
])

/** Kinds of `<link rel>`, the first that applies; others lead nowhere (`preconnect`) or to no page of this site (`author`). */
const rels: ReadonlyArray<readonly [string, LinkKind]> = [
  ["stylesheet", "stylesheet"],
  ["canonical", "canonical"],
  ["next", "next"],
  ["prev", "next"],
  ["alternate", "alternate"],
  ["icon", "image"],
  ["apple-touch-icon", "image"]
]

/** Elements whose text is for programs, or for browsers of another time: it has no entities and is no text of a link. */
const rawText = new Set(["script", "style", "iframe", "noembed", "noframes", "xmp", "plaintext"])

const wanted = new Set(["href", "src", "data", "rel", "type", "name", "property", "http-equiv", "content", "lang"])

const isKeptMeta = (name: string): boolean =>
  name === "description" || name === "keywords" || name === "robots" || name.startsWith("og:")

/** A longer reference is no URL of a page. */
const maxReferenceLength = 8192

/** Names of a page's meta elements beyond this are not kept. */
const maxMeta = 64

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Listens to the events of one page, and gives what it says. */
export class PageHandler {
  private readonly settings: Settings
  private readonly links: Array<Mutable<Link>> = []
  private readonly meta: Record<string, string> = {}
  private linksDropped = 0
  private title: string | undefined
  private base: string | undefined
  private canonical: string | undefined
  private language: string | undefined
  private robots = { noindex: false, nofollow: false }
  /** The element whose tag is being read, whether it may say something, and the attributes that matter. */
  private element = ""
  private isLookedAt = false
  private attributes: Partial<Record<string, string>> = {}
  /** Whose text is being read: of the title, or of a link. */
  private reading: Mutable<Link> | "title" | undefined
  private text = ""
  /** Text whose entities may go on in the next event. */
  private raw = ""
  /** Open elements that hold a language of their own, whose titles are not the page's. */
  private foreign = 0
  private isRaw = false

  constructor(settings: Settings) {
    this.settings = settings
  }

  readonly events = {
    ontag: (): void => this.decode(),

    onopentagname: (name: string): void => {
      this.element = name
      this.isLookedAt = elements.has(name)
      if (this.isLookedAt) this.attributes = {}
    },

    onattribute: (name: string, value: string): void => {
      if (this.isLookedAt && wanted.has(name)) this.attributes[name] ??= value
    },

    onopentagend: (): void => {
      const { element } = this
      if (element === "a" || element === "title") this.close()
      if (this.isLookedAt) this.look(element)
      else if (element === "title" && this.title === undefined && this.foreign === 0) this.reading = "title"
      else if (element === "svg" || element === "math") this.foreign++
      this.isRaw = rawText.has(element)
      this.element = ""
      this.isLookedAt = false
    },

    ontext: (piece: string): void => {
      if (this.reading === undefined || this.isRaw) return
      const max = readable(this.reading === "title" ? this.settings.maxTextLength : this.settings.maxLinkTextLength)
      if (this.text.length + this.raw.length < max) this.raw += cut(piece, max)
    },

    oncomment: (): void => this.decode(),

    onclosetag: (name: string): void => {
      this.isRaw = false
      if (name === "a" || name === "title") this.close()
      else if (name === "svg" || name === "math") this.foreign--
    }
  } satisfies Events

  /** What the page said, once all of it was heard. */
  content(selected: Readonly<Record<string, ReadonlyArray<string>>>): PageContent {
    this.close()
    return {
      title: this.title,
      base: this.base,
      canonical: this.canonical,
      language: this.language,
      meta: this.meta,
      ...this.robots,
      links: this.links,
      linksDropped: this.linksDropped,
      selected
    }
  }

  private look(element: string): void {
    switch (element) {
      case "html":
        this.language ||= this.read("lang")
        return
      case "base":
        this.base ??= this.attributes["href"] === undefined ? undefined : this.reference("href")
        return
      case "meta":
        return this.lookAtMeta()
      case "link":
        return this.lookAtLink()
      default: {
        const link = this.add(kinds.get(element) ?? "media", this.reference(elements.get(element)!))
        if (element === "a" && link !== undefined) this.reading = link
      }
    }
  }

  private lookAtMeta(): void {
    const name = (this.attributes["name"] ?? this.attributes["property"] ?? "").trim().toLowerCase()
    const content = this.read("content")
    if (name === "robots" || name === this.settings.robot.toLowerCase()) {
      const { nofollow, noindex } = readDirectives(content, this.settings.robot)
      this.robots = { noindex: this.robots.noindex || noindex, nofollow: this.robots.nofollow || nofollow }
    }
    if (isKeptMeta(name) && !Object.hasOwn(this.meta, name) && Object.keys(this.meta).length < maxMeta) {
      this.meta[cut(name, 64)] = content
    }
    if (this.attributes["http-equiv"]?.toLowerCase() === "refresh") this.add("refresh", refreshed(content))
  }

  private lookAtLink(): void {
    const rel = relOf(this.attributes)
    const kind = rels.find(([name]) => rel.includes(name))?.[1]
    if (kind === undefined) return
    // A feed, or the page in another format.
    const type = this.attributes["type"]?.toLowerCase() ?? "text/html"
    const isPage = kind !== "alternate" || type.startsWith("text/html")
    const reference = this.reference("href")
    if (kind === "canonical" && reference !== "") this.canonical ??= reference
    this.add(isPage ? kind : "feed", reference)
  }

  private add(kind: LinkKind, reference: string): Mutable<Link> | undefined {
    // What leads nowhere but to another place in the same page is no link.
    if (reference === "" || reference.startsWith("#")) return undefined
    if (this.links.length >= this.settings.maxLinks || reference.length > maxReferenceLength) {
      this.linksDropped++
      return undefined
    }
    const link = { reference, kind, text: "", nofollow: relOf(this.attributes).includes("nofollow") }
    this.links.push(link)
    return link
  }

  private reference(name: string): string {
    return this.settings.decodedAttribute(this.attributes[name] ?? "").trim()
  }

  private read(name: string): string {
    const { decodedAttribute, maxTextLength } = this.settings
    return readText(decodedAttribute(cut(this.attributes[name] ?? "", readable(maxTextLength))), maxTextLength)
  }

  private decode(): void {
    if (this.raw === "") return
    this.text += this.settings.decodedText(this.raw)
    this.raw = ""
  }

  /** Ends the text that is being read. */
  private close(): void {
    if (this.reading === undefined) return
    this.decode()
    if (this.reading === "title") this.title = readText(this.text, this.settings.maxTextLength)
    else this.reading.text = readText(this.text, this.settings.maxLinkTextLength)
    this.reading = undefined
    this.text = ""
  }
}

const relOf = (attributes: Partial<Record<string, string>>): ReadonlyArray<string> =>
  attributes["rel"]?.toLowerCase().split(/\s+/) ?? []

/** Where `<meta http-equiv="refresh" content="5; url='next'">` leads; nothing for a page that only reloads itself. */
const refreshed = (content: string): string => {
  const start = content.toLowerCase().indexOf("url=")
  const target = start < 0 ? "" : content.slice(start + 4).trim()
  const quote = target.charAt(0)
  return quote === "\"" || quote === "'" ? target.slice(1).split(quote, 1)[0]!.trim() : target
}
