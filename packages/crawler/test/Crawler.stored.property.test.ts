import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { Crawler, type CrawlEvent, CrawlItem, type CrawlOutcome, CrawlStore } from "effect-crawler"
import { Simulation } from "effect-simulation"
import { between, chance, layersOf, nextOf, Observed, pick, type Planned, planTree } from "./randomTree.ts"

// What is stopped, killed or cut off at random moments, and resumed, comes to what it would have come to.

const kind = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "succeeded" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"
const isHooked = ({ item }: Planned) => ["Collect", "Ignore", "Fast"].includes(item[CrawlItem.TypeId])
const isFast = ({ item }: Planned) => ["Fast", "BareFast"].includes(item[CrawlItem.TypeId])
const sorted = (ids: Iterable<number>) => [...ids].toSorted((a, b) => a - b)
const idOf = ({ data }: { readonly data: string }): number => JSON.parse(data).id

interface Run {
  readonly report: CrawlOutcome.CrawlReport<Planned["item"]>
  readonly events: ReadonlyArray<CrawlEvent.CrawlEvent>
}

const interruptions = ["stop", "kill", "close", "takeOver"] as const

/** How often a store was asked, and for each claim how often it was answered. */
class Asked {
  claims = 0
  commits = 0
  readonly answers = new Map<string, number>()

  readonly of = (store: CrawlStore.CrawlStore): CrawlStore.CrawlStore => ({
    ...store,
    open: (options) =>
      Effect.map(store.open(options), (session) => ({
        ...session,
        claim: (options) =>
          Effect.map(session.claim(options), (found) => {
            this.claims++
            for (const { id, lease } of found.claimed) this.answers.set(`${id}/${lease}`, 0)
            return found
          }),
        commit: (commits) =>
          Effect.map(session.commit(commits), (committed) => {
            this.commits++
            for (const { id, lease } of commits) {
              this.answers.set(`${id}/${lease}`, this.answers.get(`${id}/${lease}`)! + 1)
            }
            return committed
          })
      }))
  })
}

/** Crawls a planned tree with a store, ended in some way at random moments, and resumed until it has ended by itself. */
const crawlOften = Effect.fnUntraced(function*(given: {
  readonly failFast?: boolean
  readonly interruptions?: number
  readonly ways?: ReadonlyArray<typeof interruptions[number]>
  readonly concurrency?: number
}) {
  const observed = new Observed()
  const roots = yield* planTree(observed, given.failFast)
  const memory = yield* CrawlStore.memory
  const asked = new Asked()
  const store = asked.of(memory)
  const order = yield* pick(["fifo", "lifo", "priority"] as const)
  const runs: Array<Run> = []
  let left = given.interruptions ?? 0
  let report: Run["report"] | undefined
  while (report === undefined) {
    const isLast = left-- <= 0
    const scope = yield* Scope.make()
    const crawling = yield* Crawler.make(roots.map(({ item }) => item), {
      store,
      order,
      concurrency: given.concurrency ?? (yield* between(1, 6))
    }).pipe(Effect.provide(layersOf(observed)), Scope.provide(scope))
    const events: Array<CrawlEvent.CrawlEvent> = []
    const watcher = yield* Effect.forkChild(
      Stream.runForEach(crawling.events, (event) =>
        Effect.sync(() => {
          events.push(event)
          // The roots of a planned tree wait for the first.
          observed.events.push(event)
        })),
      { startImmediately: true }
    )
    const way = isLast ? "wait" : yield* pick(given.ways ?? interruptions)
    if (!isLast) {
      for (let i = yield* between(0, 10); i > 0; i--) yield* Effect.yieldNow
      yield* Effect.sleep(yield* between(0, 25))
    }
    if (way === "takeOver") {
      // Another opens the crawl while this one goes on: the end of this one is left to itself.
      yield* Effect.scoped(memory.open({ order, maxItems: Infinity, roots: [] }))
      const exit = yield* Effect.exit(crawling.awaitEnd)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.interrupt(watcher)
      if (Exit.isFailure(exit)) assert.include(`${exit.cause}`, "CrawlStoreError")
      else runs.push({ report: exit.value, events })
      continue
    }
    if (way === "close") yield* Scope.close(scope, Exit.void)
    else {
      const ended = yield* way === "wait" ? crawling.awaitEnd : crawling[way]
      if (isLast) report = ended
      runs.push({ report: ended, events })
    }
    yield* Fiber.await(watcher)
    yield* Scope.close(scope, Exit.void)
  }
  const items = yield* Stream.runCollect(store.items())
  return { observed, roots, order, runs, report, items, asked }
})
type Result = Effect.Success<ReturnType<typeof crawlOften>>

const check = (given: Parameters<typeof crawlOften>[0], law: (result: Result) => void) =>
  Simulation.check(() => crawlOften(given), (outcome) => {
    if (outcome.exit._tag === "Failure") assert.fail(`${outcome.exit.cause}`)
    else law(outcome.exit.value)
    assert.strictEqual(outcome.leftover.length, 0, "fibers left over")
  }, { runs: 100 })

const expectedOf = (plan: Planned["plan"], value: number): { readonly kind: string; readonly text: string } => {
  switch (plan) {
    case "exit":
    case "sync":
    case "yield":
    case "sleep":
      return { kind: "succeeded", text: `${value}` }
    case "interruptItself":
      return { kind: "interrupted", text: "Interrupt" }
    default: {
      const text = { failExit: "exit", fail: "failed", failLate: "late", die: "defect", throw: "thrown" }[plan]
      return { kind: "failed", text: `${text} ${value}` }
    }
  }
}

/** Those that are enqueued whatever happens: what an item enqueues after it has failed is never enqueued. */
const reachable = (roots: ReadonlyArray<Planned>): ReadonlyArray<Planned> =>
  roots.flatMap((planned) => [
    planned,
    ...reachable(planned.before),
    ...reachable(expectedOf(planned.plan, 0).kind === "succeeded" ? planned.after : [])
  ])

const addsUp = ({ items, report }: Result) => {
  assert.strictEqual(report.left, 0)
  assert.strictEqual(report.enqueued, report.succeeded + report.failed + report.interrupted)
  assert.strictEqual(report.enqueued, items.length)
  assert.strictEqual(new Set(items.map(idOf)).size, items.length, "an item twice")
  for (const { exit } of items) assert.isDefined(exit)
}

const comesTo = (result: Result) => {
  addsUp(result)
  const { items, observed, report, roots } = result
  assert.deepStrictEqual(sorted(items.map(idOf)), sorted(reachable(roots).map(({ item }) => item.id)))
  for (const stored of items) {
    const planned = observed.planned[idOf(stored)]!
    const own = expectedOf(planned.plan, planned.item.id)
    const last = isHooked(planned) ? expectedOf(planned.hook, planned.item.id + 1000) : own
    assert.include(stored.own, own.text)
    assert.include(stored.exit, last.text)
  }
  assert.deepStrictEqual(sorted(report.roots.map(({ item }) => item.id)), roots.map(({ item }) => item.id))
  for (const { exit, item } of report.roots) {
    const planned = observed.planned[item.id]!
    const last = isHooked(planned) ? expectedOf(planned.hook, item.id + 1000) : expectedOf(planned.plan, item.id)
    assert.strictEqual(kind(exit), last.kind)
  }
}

describe("Crawler with a store", () => {
  it.effect("law: every item settles once, and comes to what it is planned to", () => check({}, comesTo))

  it.effect("law: stopped, killed, closed or taken over at random moments and resumed, it comes to the same", () =>
    check({ interruptions: 4 }, comesTo))

  it.effect("law: with failFast too, everything settles once", () =>
    check({ failFast: true, interruptions: 3 }, (result) => {
      addsUp(result)
      const finals = new Map(result.items.map((item) => [idOf(item), item]))
      for (const [id, { exit }] of finals) {
        const planned = result.observed.planned[id]!
        if (!isFast(planned)) continue
        const failed = [...planned.before, ...planned.after].filter((child) => {
          const stored = finals.get(child.item.id)?.exit
          return stored !== undefined && stored.includes("\"Fail\"") || stored?.includes("\"Die\"") ||
            stored?.includes("failedBy")
        })
        if (failed.length === 0 || expectedOf(planned.plan, id).kind !== "succeeded") continue
        assert.include(exit, "failedBy")
      }
    }))

  it.effect("law: hooks are told exactly what their children came to", () =>
    check({ interruptions: 2 }, ({ items, observed }) => {
      const finals = new Map(items.map((item) => [idOf(item), item]))
      for (const [id, { children }] of observed.told) {
        const planned = observed.planned[id]!
        const expected = [...planned.before, ...planned.after]
          .filter(({ item }) => finals.has(item.id))
          .filter((child) => {
            const last = isHooked(child)
              ? expectedOf(child.hook, child.item.id + 1000)
              : expectedOf(child.plan, child.item.id)
            return planned.item[CrawlItem.TypeId] !== "Ignore" || last.kind === "succeeded"
          })
        assert.deepStrictEqual(
          sorted(children.map(({ item }) => (item as Planned["item"]).id)),
          sorted(expected.map(({ item }) => item.id))
        )
        for (const { exit, item } of children) {
          const child = observed.planned[(item as Planned["item"]).id]!
          assert.strictEqual(
            kind(exit),
            (isHooked(child) ? expectedOf(child.hook, 0) : expectedOf(child.plan, 0)).kind
          )
        }
      }
    }))

  it.effect("law: one worker begins items in the order of the crawl, each after its parent is written down", () =>
    check({ concurrency: 1 }, ({ observed, order, roots }) => {
      const waiting = roots.map(({ item }) => item)
      const enqueued = new Map<number, Array<Planned["item"]>>()
      let current = 0
      for (const { _tag, id } of observed.log) {
        if (_tag === "enqueue") enqueued.set(current, [...enqueued.get(current) ?? [], observed.planned[id]!.item])
        if (_tag === "end") waiting.push(...enqueued.get(id) ?? [])
        if (_tag !== "start") continue
        current = id
        const next = nextOf(order, waiting)
        assert.strictEqual(id, next?.id)
        waiting.splice(waiting.indexOf(next!), 1)
      }
      assert.deepStrictEqual(waiting, [])
    }))

  it.effect("law: what is told adds up over all runs", () =>
    check({ interruptions: 0 }, ({ items, runs }) => {
      const events = runs.flatMap(({ events }) => events)
      for (const tag of ["Processed", "Settled"] as const) {
        const told = events.flatMap((event) => event._tag === tag ? [(event.about.item as Planned["item"]).id] : [])
        assert.deepStrictEqual(sorted(told), sorted(items.map(idOf)))
      }
      assert.strictEqual(events.at(-1)?._tag, "Ended")
    }))

  it.effect("law: every claim is answered once, and nothing is asked for in vain", () =>
    check({ interruptions: 3, ways: ["stop", "kill", "close"], failFast: true }, ({ asked }) => {
      for (const [claim, answers] of asked.answers) assert.strictEqual(answers, 1, claim)
      assert.isAtMost(asked.claims, asked.commits + 4)
    }))

  it.effect("law: a crawl that was stopped says what is left", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          const observed = new Observed()
          const roots = yield* planTree(observed)
          observed.events.push({ _tag: "Skipped", skipped: { item: roots[0]!.item, reason: "duplicate" } })
          const store = yield* CrawlStore.memory
          yield* Effect.scoped(Effect.gen(function*() {
            const crawling = yield* Crawler.make(roots.map(({ item }) => item), { store, concurrency: 2 })
            yield* Effect.sleep(yield* between(0, 10))
            const report = yield* (yield* chance(0.5)) ? crawling.stop : crawling.kill
            assert.strictEqual(report.enqueued, report.succeeded + report.failed + report.interrupted + report.left)
            const items = yield* Stream.runCollect(store.items())
            assert.strictEqual(
              items.filter(({ exit }) => exit !== undefined).length,
              report.enqueued - report.left
            )
          })).pipe(Effect.provide(layersOf(observed)))
        }),
      (outcome) => {
        if (outcome.exit._tag === "Failure") assert.fail(`${outcome.exit.cause}`)
      },
      { runs: 100 }
    ))
})
