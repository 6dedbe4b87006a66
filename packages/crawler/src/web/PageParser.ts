/**
 * What a page says of itself and where it leads, read while it arrives.
 *
 * HTML is read by htmlparser2, event by event, so that memory holds what is kept and not the page; a tree is built only when something is to be
 * selected in it. Nothing in a page makes this slow or large: text, links, depth and elements are bounded, and what was left out is counted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { FlatParser } from "./internal/parse/flatParser.ts"
import { PageHandler } from "./internal/parse/pageHandler.ts"
import { decodedAttribute, decodedText } from "./internal/parse/plainText.ts"
import { type Directives, readDirectives } from "./internal/parse/robotsDirectives.ts"
import { type Query, query, Selection } from "./internal/parse/selection.ts"
import { InvalidSelector, type Selector } from "./Selector.ts"

/**
 * What a link is for.
 *
 * **Details**
 *
 * | kind | element |
 * |---|---|
 * | `anchor` | `a`, `area` |
 * | `next` | `link rel="next"` or `"prev"` |
 * | `canonical`, `alternate` | `link` of this rel; `alternate` only of HTML, as for other languages |
 * | `frame` | `iframe`, `frame` |
 * | `refresh` | `meta http-equiv="refresh"` |
 * | `feed` | `link rel="alternate"` of another type |
 * | `image` | `img`, icons; not `srcset` |
 * | `script`, `stylesheet` | `script`, `link rel="stylesheet"` |
 * | `media` | `audio`, `video`, `source`, `track`, `embed`, `object` |
 *
 * The first five lead to pages, and a crawl follows them; the others are parts of the page, or data.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const LinkKind = Schema.Literals([
  "anchor",
  "next",
  "canonical",
  "alternate",
  "frame",
  "refresh",
  "feed",
  "image",
  "script",
  "stylesheet",
  "media"
])

/**
 * What a link is for.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type LinkKind = typeof LinkKind.Type

/**
 * A link, as it stands in the page.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const Link = Schema.Struct({
  /** To be resolved against the page's base. Those within the same page (`#top`) are no links. */
  reference: Schema.String,
  kind: LinkKind,
  /** Of an `a`: up to its end, or to the next link. */
  text: Schema.String,
  /** Whether it has `rel="nofollow"`. */
  nofollow: Schema.Boolean
})

/**
 * A link, as it stands in the page.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Link extends Schema.Schema.Type<typeof Link> {}

/**
 * What a page says.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const PageContent = Schema.Struct({
  title: Schema.optional(Schema.String),
  /** The href of the first `base`, which references are relative to, and which is itself relative to the URL of the page. */
  base: Schema.optional(Schema.String),
  /** The href of the first `link rel="canonical"`. */
  canonical: Schema.optional(Schema.String),
  /** The `lang` of the `html` element. */
  language: Schema.optional(Schema.String),
  /** `description`, `keywords`, `robots` and `og:*`, by name in lower case; the first of each. */
  meta: Schema.Record(Schema.String, Schema.String),
  /** Whether a robots meta element asks not to keep the page. */
  noindex: Schema.Boolean,
  /** Whether one asks not to follow its links. */
  nofollow: Schema.Boolean,
  /** In the order of the page. */
  links: Schema.Array(Link),
  /** Beyond `maxLinks`, or with a reference of more than 8192 characters. */
  linksDropped: Schema.Int,
  /** By the name of the selector: what each element it matches has, in the order of the page; empty when there is none. */
  selected: Schema.Record(Schema.String, Schema.Array(Schema.String))
})

/**
 * What a page says.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PageContent extends Schema.Schema.Type<typeof PageContent> {}

/**
 * How pages are read. Numbers are whole, and at least 1.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** What to take out of each page. Costs a tree of the page. Defaults to nothing. */
  readonly select?: ReadonlyArray<Selector> | undefined
  /** Defaults to 30 000. */
  readonly maxLinks?: number | undefined
  /** Characters of a title, of what a meta element says and of what is selected. Defaults to 10 000. */
  readonly maxTextLength?: number | undefined
  /** Characters of a link's text. Defaults to 200. */
  readonly maxLinkTextLength?: number | undefined
  /** Elements within elements; what is deeper stands beside what it would have been in. Defaults to 512, as in browsers. */
  readonly maxDepth?: number | undefined
  /** Elements of a page that selectors see. Defaults to 100 000. */
  readonly maxElements?: number | undefined
  /** Values of each selector. Defaults to 1000. */
  readonly maxSelected?: number | undefined
  /** The name by which a page may address this robot alone, besides `robots`. Defaults to `"conveyor"`. */
  readonly robot?: string | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = {
  maxLinks: 30_000,
  maxTextLength: 10_000,
  maxLinkTextLength: 200,
  maxDepth: 512,
  maxElements: 100_000,
  maxSelected: 1000,
  robot: "conveyor"
} as const

/**
 * The reading of one page.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Reading {
  /** Takes the next piece of the page, of any length. */
  readonly write: (piece: string) => void
  /** Gives what the page said; to be called once. */
  readonly end: () => PageContent
}

/**
 * Reads pages.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface PageParser {
  readonly parse: (html: string) => PageContent
  readonly parseStream: <E, R>(html: Stream.Stream<string, E, R>) => Effect.Effect<PageContent, E, R>
  readonly open: () => Reading
  /** Reads an `X-Robots-Tag` header. */
  readonly directives: (header: string) => Directives
}

/**
 * Makes a parser.
 *
 * **Gotchas** A selector that looks at every sibling of every element (`*~*`, `:nth-last-child`) takes their number squared; `maxElements` is what
 * bounds that.
 *
 * **Errors** Fails with the first selector that cannot be used. Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: Options = {}): Result.Result<PageParser, InvalidSelector> =>
  Result.map(compileAll(options.select ?? []), (queries) => {
    const settings = resolve(options)
    const open = (): Reading => queries.length === 0 ? reading(settings) : selecting(settings, queries)
    const parse = (html: string): PageContent => {
      const { end, write } = open()
      write(html)
      return end()
    }
    return {
      open,
      parse,
      parseStream: (html) =>
        Effect.suspend(() => {
          const { end, write } = open()
          return Effect.map(Stream.runForEach(html, (piece) => Effect.sync(() => write(piece))), end)
        }),
      directives: (header) => readDirectives(header, settings.robot)
    }
  })

// -----------------------------------------------------------------------------

type Settings = ReturnType<typeof resolve>

const reading = (settings: Settings): Reading => {
  const handler = new PageHandler({ ...settings, decodedText, decodedAttribute })
  const parser = new FlatParser(handler.events, { maxDepth: settings.maxDepth, decodeEntities: false })
  return {
    write: (piece) => parser.write(piece),
    end: () => {
      parser.end()
      return handler.content({})
    }
  }
}

const selecting = (settings: Settings, queries: ReadonlyArray<Query>): Reading => {
  const handler = new PageHandler({ ...settings, decodedText: asIs, decodedAttribute: asIs })
  const selection = new Selection(settings)
  const parser = new FlatParser(selection.beside(handler.events), { maxDepth: settings.maxDepth, decodeEntities: true })
  return {
    write: (piece) => parser.write(piece),
    end: () => {
      parser.end()
      return handler.content(selection.found(queries))
    }
  }
}

const asIs = (text: string): string => text

const compileAll = (selectors: ReadonlyArray<Selector>): Result.Result<ReadonlyArray<Query>, InvalidSelector> =>
  Result.all(selectors.map((selector, i) => {
    const { css, name } = selector
    return selectors.findIndex((each) => each.name === name) < i
      ? Result.fail(new InvalidSelector({ text: name, detail: "is the name of two selectors" }))
      : Result.try({
        try: () => query(selector),
        catch: (cause) =>
          new InvalidSelector({ text: `${name}=${css}`, detail: cause instanceof Error ? cause.message : `${cause}` })
      })
  }))

const resolve = (options: Options) => {
  const count = (name: Exclude<keyof typeof defaults, "robot">): number => {
    const value = options[name] ?? defaults[name]
    if (Number.isSafeInteger(value) && value >= 1) return value
    throw new RangeError(`PageParser.make: ${name} must be a whole number >= 1, got ${value}`)
  }
  return {
    maxLinks: count("maxLinks"),
    maxTextLength: count("maxTextLength"),
    maxLinkTextLength: count("maxLinkTextLength"),
    maxDepth: count("maxDepth"),
    maxElements: count("maxElements"),
    maxSelected: count("maxSelected"),
    robot: options.robot ?? defaults.robot
  }
}
