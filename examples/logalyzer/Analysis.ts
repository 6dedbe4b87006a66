// What is found in one log, while it is read. Pure: where the lines come from, and who learns of the findings, is not decided here.
import * as Schema from "effect/Schema"
import { parse } from "./AccessLine.ts"
import { broken, type Rule } from "./rules.ts"

/** An address that has not broken this rule before in this log. Told at once. */
export class Suspect extends Schema.TaggedClass<Suspect>()("Suspect", {
  address: Schema.String,
  rule: Schema.Literals(["probe", "traversal", "scanner", "missing"]),
  line: Schema.Int,
  target: Schema.String
}) {}

/** A line that is none of an access log. */
export class Broken extends Schema.TaggedClass<Broken>()("Broken", { line: Schema.Int }) {}

/** How many requests of an address broke a rule. Told at the end of the log. */
export class Hits extends Schema.TaggedClass<Hits>()("Hits", { address: Schema.String, hits: Schema.Int }) {}

/** The last of all: what there was to read. */
export class Total extends Schema.TaggedClass<Total>()("Total", { lines: Schema.Int, broken: Schema.Int }) {}

export const Finding = Schema.Union([Suspect, Broken, Hits, Total])
export type Finding = typeof Finding.Type

/** More answers of 404 than this, in one log, are no typing errors. */
const typingErrors = 20

/** Broken lines that are told one by one; the others are only counted. */
const toldBroken = 10

export interface Analysis {
  readonly add: (lines: ReadonlyArray<string>) => ReadonlyArray<Finding>
  readonly end: () => ReadonlyArray<Finding>
}

export const make = (
  isIgnored: (address: string) => boolean,
  /** Addresses whose answers of 404 are counted at a time, so that memory stays bounded whatever is in the log. */
  counted = 100_000
): Analysis => {
  const hits = new Map<string, number>()
  const told = new Map<string, Set<Rule>>()
  const missing = new Map<string, number>()
  let lineCount = 0
  let brokenCount = 0

  /** How often an address has got a 404 by now. When too many addresses are counted, the one that came first is forgotten. */
  const countMissing = (address: string): number => {
    const count = (missing.get(address) ?? 0) + 1
    missing.set(address, count)
    if (missing.size > counted) missing.delete(missing.keys().next().value!)
    return count
  }

  const examine = (text: string): Finding | undefined => {
    const line = ++lineCount
    if (text === "") return undefined
    const request = parse(text)
    if (request === undefined) return ++brokenCount <= toldBroken ? new Broken({ line }) : undefined
    const { address, status, target } = request
    if (isIgnored(address)) return undefined
    let rule = broken(request)
    let requests = 1
    if (rule === undefined) {
      if (status !== 404) return undefined
      const count = countMissing(address)
      if (count <= typingErrors) return undefined
      rule = "missing"
      // Those before are of the same kind, as one knows now.
      if (count === typingErrors + 1) requests = count
    }
    hits.set(address, (hits.get(address) ?? 0) + requests)
    const before = told.get(address)
    if (before === undefined) told.set(address, new Set([rule]))
    else if (before.has(rule)) return undefined
    else before.add(rule)
    return new Suspect({ address, rule, line, target })
  }

  return {
    add: (lines) => lines.flatMap((text) => examine(text) ?? []),
    end: () => [
      ...Array.from(hits, ([address, hits]) => new Hits({ address, hits })),
      new Total({ lines: lineCount, broken: brokenCount })
    ]
  }
}
