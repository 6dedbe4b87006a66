// What was found in all logs together. It comes out the same in whatever order the findings come in.
import type { Finding } from "./Analysis.ts"
import type { Rule } from "./rules.ts"

/** Where an address was first seen to break a rule: of two places, the one in the log with the lesser name, and there the one before. */
interface Place {
  readonly path: string
  readonly line: number
  readonly target: string
}

interface Offender {
  readonly rules: Set<Rule>
  place: Place
  hits: number
}

const isBefore = (one: Place, other: Place): boolean =>
  one.path < other.path || one.path === other.path && one.line < other.line

export class Report {
  readonly offenders = new Map<string, Offender>()
  lines = 0
  broken = 0

  /** Tells whether the finding is an address that nothing was known of. */
  add(path: string, finding: Finding): boolean {
    switch (finding._tag) {
      case "Suspect": {
        const { address, line, rule, target } = finding
        const place = { path, line, target }
        const known = this.offenders.get(address)
        if (known === undefined) {
          this.offenders.set(address, { rules: new Set([rule]), place, hits: 0 })
          return true
        }
        known.rules.add(rule)
        if (isBefore(place, known.place)) known.place = place
        return false
      }
      case "Hits":
        this.offenders.get(finding.address)!.hits += finding.hits
        return false
      case "Total":
        this.lines += finding.lines
        this.broken += finding.broken
        return false
      case "Broken":
        return false
    }
  }

  /** Those with the most hits first. */
  summary(): string {
    const sorted = [...this.offenders].sort(([one, a], [other, b]) => b.hits - a.hits || (one < other ? -1 : 1))
    const width = Math.max(...sorted.map(([address]) => address.length))
    return sorted.map(([address, { hits, place, rules }]) =>
      `${String(hits).padStart(6)}  ${address.padEnd(width)}  ${[...rules].sort().join(", ")}: ${
        printable(place.target)
      }`
    ).join("\n")
  }
}

/** What attackers write is not for terminals to obey. */
export const printable = (text: string): string =>
  text.slice(0, 80).replaceAll(/[^ -~]/g, (c) => `\\x${c.codePointAt(0)!.toString(16).padStart(2, "0")}`)
