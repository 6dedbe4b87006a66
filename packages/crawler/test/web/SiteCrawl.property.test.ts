import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Random } from "effect"
import { Crawler } from "effect-crawler"
import * as SiteCrawl from "effect-crawler/web/SiteCrawl"
import { Simulation } from "effect-simulation"
import { type Answer, memorySite } from "./memorySite.ts"

const between = (low: number, high: number) => Random.nextIntBetween(low, high, { halfOpen: false })

/** A site of pages that link at random and redirect forwards, on two hosts. */
const randomSite = Effect.gen(function*() {
  const size = yield* between(2, 10)
  const urlOf = (i: number) => `http://${i % 3 === 0 ? "a" : "b"}.test/${i}`
  const pages: Array<
    { readonly links: ReadonlyArray<number>; readonly to: number | undefined; readonly takes: number }
  > = []
  for (let i = 0; i < size; i++) {
    const links: Array<number> = []
    for (let n = yield* between(0, 4); n > 0; n--) links.push(yield* between(0, size - 1))
    const isRedirect = i < size - 1 && (yield* between(0, 2)) === 0
    pages.push({ links, to: isRedirect ? yield* between(i + 1, size - 1) : undefined, takes: yield* between(0, 3) })
  }
  const answers: Record<string, Answer> = {}
  pages.forEach(({ links, takes, to }, i) => {
    answers[urlOf(i)] = to === undefined
      ? { html: links.map((each) => `<a href="${urlOf(each)}">x</a>`).join(""), takes }
      : { location: urlOf(to), takes }
  })
  const reached = new Set([0])
  for (const i of reached) {
    for (const next of pages[i]!.to === undefined ? pages[i]!.links : [pages[i]!.to!]) reached.add(next)
  }
  return { answers, start: urlOf(0), reached: [...reached].map(urlOf).sort() }
})

const crawl = Effect.fnUntraced(function*(politeness: SiteCrawl.Options["politeness"]) {
  const { answers, reached, start } = yield* randomSite
  const memory = memorySite(answers)
  const hostConcurrency = yield* between(1, 4)
  const site = yield* SiteCrawl.make([start], { scope: { within: "any" }, hostConcurrency, politeness })
  const report = yield* Crawler.run(site.roots, site.options).pipe(
    Effect.provide(Layer.provide(site.layer, memory.layer))
  )
  return { memory, reached, report }
})

describe("SiteCrawl", () => {
  it.effect("law: whatever the interleaving, what can be reached is asked for once, redirects included, and nothing else", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          const { memory, reached, report } = yield* crawl({})
          assert.deepStrictEqual(memory.asked.toSorted(), reached)
          assert.strictEqual(report.failed, 0)
        }),
      undefined,
      { runs: 60 }
    ))

  it.effect("law: requests to a host are never closer than the least delay", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          const { memory } = yield* crawl({ minDelay: 50 })
          for (const host of ["a", "b"]) {
            const times = memory.requests
              .filter(({ url }) => url.startsWith(`http://${host}.test/`) && !url.endsWith("robots.txt"))
              .map(({ at }) => at)
            times.slice(1).forEach((at, i) => assert.isAtLeast(at - times[i]!, 50))
          }
        }),
      undefined,
      { runs: 60 }
    ))
})
