// A log made up from a seed, and what is to be found in it.
import { Effect, Random } from "effect"
import type { Rule } from "./rules.ts"

export interface Attacker {
  readonly address: string
  readonly rule: Rule
  readonly requests: ReadonlyArray<string>
}

const browser = "Mozilla/5.0 (X11; Linux x86_64)"

const entry = (address: string, target: string, status: number, agent = browser, size = "1184") =>
  `${address} - - [21/Nov/2026:17:26:14 +0000] "GET ${target} HTTP/1.1" ${status} ${size} "-" "${agent}"`

const attacks: { readonly [R in Rule]: (address: string) => ReadonlyArray<string> } = {
  probe: (address) => ["/wp-login.php", "/.env", "/blog/xmlrpc.php?rsd"].map((target) => entry(address, target, 404)),
  traversal: (address) =>
    ["/../../etc/passwd", "/show?page=..%2f..%2fpasswd", "/%252e%252e/boot.ini"].map((to) => entry(address, to, 400)),
  scanner: (address) => ["/", "/search?q=1'"].map((target) => entry(address, target, 200, "sqlmap/1.9#stable")),
  missing: (address) => Array.from({ length: 25 }, (_, i) => entry(address, `/old/${i}.html`, 404))
}

/** Two for each rule, one of which has an address of IPv6; nobody else asks from these networks. */
export const attackers: ReadonlyArray<Attacker> = Object.entries(attacks).flatMap(([rule, requests], i) =>
  [`203.0.113.${7 + i}`, `2001:db8::bad:${i}`].map((address) => ({
    address,
    rule: rule as Rule,
    requests: requests(address)
  }))
)

/** Lines that are cut off, or are none of an access log. */
const brokenLines = [
  "198.51.100.4 - - [21/Nov/2026:17:26:14 +0000] \"GET /index.h",
  "[Sat Nov 21 17:26:14 2026] [core:error] child process 4711 still did not exit"
]

export interface Plan {
  /** Those who attack in this log. */
  readonly attackers: ReadonlyArray<Attacker>
  readonly broken: ReadonlyArray<number>
  /** To be taken once. */
  readonly lines: () => Generator<string>
}

/** Plans a log of so many lines, 100 or more. The same seed and number make the same log. */
export const make = (options: { readonly seed: number; readonly number: number; readonly lineCount: number }) =>
  Effect.map(Random.Random, (random): Plan => {
    const below = (n: number) => Math.floor(random.nextDoubleUnsafe() * n)
    const here = attackers.filter(() => below(2) === 0)
    const { lineCount } = options
    const planted = new Map<number, string>()
    // Their order is kept: what comes next, comes at a later line.
    const plant = (lines: ReadonlyArray<string>) => {
      const free = new Set<number>()
      while (free.size < lines.length) {
        const at = below(lineCount)
        if (!planted.has(at)) free.add(at)
      }
      const at = [...free].sort((one, other) => one - other)
      for (const [i, line] of lines.entries()) planted.set(at[i]!, line)
      return at.map((line) => line + 1)
    }
    for (const { requests } of here) plant(requests)
    return {
      attackers: here,
      broken: plant(brokenLines),
      *lines() {
        for (let i = 0; i < lineCount; i++) yield planted.get(i) ?? innocent(below)
      }
    }
  }).pipe(Random.withSeed(`${options.seed}/${options.number}`))

/** One of 65 536 visitors, who mistypes an address now and then, and may look as if up to something. */
const innocent = (below: (n: number) => number): string => {
  const address = `10.1.${below(256)}.${below(256)}`
  switch (below(50)) {
    case 0:
      return entry(address, `/page/${below(1000)}.hmtl`, 404)
    case 1:
      return entry(address, "/environment/v1..v2/wp-login.php.html", 304, browser, "-")
    case 2:
      return entry(address, "/search?q=\\\"nmap\\\"", 200, "Mozilla/5.0 (\\\"quoted\\\"; compatible)")
    default:
      return entry(address, `/page/${below(1000)}.html`, 200)
  }
}
