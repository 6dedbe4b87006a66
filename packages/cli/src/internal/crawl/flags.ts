import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import type * as Option from "effect/Option"

// Numbers, lengths of time and sizes are read as text, so that what is wrong with all of them can be told at once, each in a sentence of its own.

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const texts = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.atLeast(0))

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false), Flag.withoutNegation)

/** What stands on the command line after `crawl`. */
export const flags = {
  urls: Argument.String("url").pipe(
    Argument.withDescription("where to begin; https unless it says otherwise"),
    Argument.variadic({ min: 1 })
  ),
  state: text(
    "state",
    "FILE",
    "keep the crawl in a SQLite file, or in PostgreSQL (postgres://…) for several machines, so that it can go on after any end"
  ),
  resume: toggle("resume", "go on with the crawl in --state, or begin it; the other flags as before"),
  output: text(
    "output",
    "FILE",
    "write pages to a file, .ndjson, .jsonl, .csv, .db or .sqlite, or to standard output (-); " +
      "unless given, as NDJSON to standard output where that is no terminal"
  ),
  format: Flag.Literals("format", ["text", "json", "ndjson"]).pipe(
    Flag.withAlias("o"),
    Flag.withDescription(
      "what is printed on standard output: text for people, one JSON document at the end, or events as JSON lines"
    ),
    Flag.withDefault("text" as const)
  ),
  maxPages: text("max-pages", "N", "pages at most; with --check-links also targets of links; no limit unless given"),
  maxDepth: text("max-depth", "N", "links from a start page at most; no limit unless given"),
  concurrency: text("concurrency", "N", "pages fetched at once; 16 unless given"),
  perHost: text("per-host", "N", "pages of one host fetched at once; 8 unless given"),
  delay: text("delay", "TIME", "between two requests to a host, at least; 0s unless given"),
  timeout: text("timeout", "TIME", "for a page, redirects included; 30s unless given"),
  maxSize: text("max-size", "SIZE", "of a page; 10 MiB unless given"),
  order: Flag.Literals("order", ["fifo", "lifo", "priority"]).pipe(
    Flag.withDescription(
      "fifo: pages near the start first; lifo: depth first; priority: all pages have the same; fifo unless given"
    ),
    Flag.withDefault("fifo" as const)
  ),
  scope: Flag.Literals("scope", ["host", "subdomains", "prefix", "any"]).pipe(
    Flag.withDescription(
      "what belongs to the crawl: the hosts of the start pages, those below them too, only what is in the folder of a start page, or everything; host unless given"
    ),
    Flag.withDefault("host" as const)
  ),
  include: texts("include", "REGEX", "only URLs that match; may be given again"),
  exclude: texts("exclude", "REGEX", "no URLs that match; may be given again"),
  select: texts("select", "NAME=CSS", "take the text of elements, or with @ATTRIBUTE that of one; may be given again"),
  checkLinks: toggle(
    "check-links",
    "report links that lead nowhere, those to other sites and to images included; exit 1 if there are any"
  ),
  sitemaps: toggle("sitemaps", "begin with the pages that the sitemaps of the start hosts list, too"),
  noRobots: toggle(
    "no-robots",
    "fetch what robots.txt forbids, without the pauses it asks for, and keep pages that ask not to be kept: only for sites of your own"
  ),
  cookies: toggle("cookies", "send back the cookies that hosts set"),
  allowPrivate: toggle(
    "allow-private",
    "fetch from addresses of this machine and its network, which start pages open for their own host only"
  ),
  userAgent: text(
    "user-agent",
    "TEXT",
    "who asks, such as name/1.0 (+https://example.org/bot); conveyor and its version unless given"
  ),
  progress: Flag.Literals("progress", ["auto", "live", "plain", "none"]).pipe(
    Flag.withDescription(
      "how the crawl is shown on standard error: live where that is a terminal, else plain lines; or not at all"
    ),
    Flag.withDefault("auto" as const)
  ),
  logFormat: Flag.Literals("log-format", ["text", "json"]).pipe(
    Flag.withDescription("the form of the log, which is on standard error"),
    Flag.withDefault("text" as const)
  )
}

/** What was given of it. */
export interface Input {
  readonly urls: ReadonlyArray<string>
  readonly state: Option.Option<string>
  readonly resume: boolean
  readonly output: Option.Option<string>
  readonly format: "text" | "json" | "ndjson"
  readonly maxPages: Option.Option<string>
  readonly maxDepth: Option.Option<string>
  readonly concurrency: Option.Option<string>
  readonly perHost: Option.Option<string>
  readonly delay: Option.Option<string>
  readonly timeout: Option.Option<string>
  readonly maxSize: Option.Option<string>
  readonly order: "fifo" | "lifo" | "priority"
  readonly scope: "host" | "subdomains" | "prefix" | "any"
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly select: ReadonlyArray<string>
  readonly checkLinks: boolean
  readonly sitemaps: boolean
  readonly noRobots: boolean
  readonly cookies: boolean
  readonly allowPrivate: boolean
  readonly userAgent: Option.Option<string>
  readonly progress: "auto" | "live" | "plain" | "none"
  readonly logFormat: "text" | "json"
}
