import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Scope } from "effect"
import { Crawler, type CrawlEvent, CrawlItem, CrawlOutcome } from "effect-crawler"
import { Simulation } from "effect-simulation"
import { between, chance, crawl, nextOf, pick, type Planned, type Result } from "./randomTree.ts"

const check = (given: Parameters<typeof crawl>[0], law: (result: Result) => void) =>
  Simulation.check(() => crawl(given), (outcome) => {
    assert.strictEqual(outcome.exit._tag, "Success")
    if (outcome.exit._tag === "Success") law(outcome.exit.value)
    assert.strictEqual(outcome.leftover.length, 0, "fibers left over")
  }, { runs: 100 })

const sorted = (ids: Iterable<number>) => [...ids].toSorted((a, b) => a - b)
const unique = (ids: ReadonlyArray<number>) => assert.strictEqual(new Set(ids).size, ids.length, "twice")
const kind = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "succeeded" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"
const isHooked = ({ item }: Planned) => ["Collect", "Ignore", "Fast"].includes(item[CrawlItem.TypeId])
const isFast = ({ item }: Planned) => ["Fast", "BareFast"].includes(item[CrawlItem.TypeId])
const ancestors = (planned: Planned): ReadonlyArray<Planned> =>
  planned.parent === undefined ? [] : [planned.parent, ...ancestors(planned.parent)]
const idOf = (item: CrawlItem.Item) => (item as Planned["item"]).id

type Exited = Extract<CrawlEvent.CrawlEvent, { readonly _tag: "Processed" | "Settled" }>
const told = ({ observed }: Result, tag: Exited["_tag"]): Map<number, Exited["exit"]> => {
  const exits = observed.events.flatMap((event) =>
    event._tag === tag ? [[idOf(event.about.item), (event as Exited).exit] as const] : []
  )
  unique(exits.map(([id]) => id))
  return new Map(exits)
}

/** Those that were enqueued: the roots, and what items say that they did enqueue. */
const enqueued = ({ observed, roots }: Result) =>
  sorted([...roots.map(({ item }) => item.id), ...observed.ids("enqueue")])

const addsUp = (result: Result) => {
  const { again, endedAt, lateEvents, logAtEnd, observed, options, report, stats } = result
  assert.strictEqual(report.enqueued, report.succeeded + report.failed + report.interrupted)
  assert.deepStrictEqual(report.skipped, { duplicate: 0, maxDepth: 0, maxItems: 0 })
  assert.deepStrictEqual(again, report)
  const { enqueued, failed, interrupted, processing, succeeded, waiting } = stats
  assert.deepStrictEqual({ enqueued, succeeded, failed, interrupted }, {
    enqueued: report.enqueued,
    succeeded: report.succeeded,
    failed: report.failed,
    interrupted: report.interrupted
  })
  assert.deepStrictEqual(processing, [])
  assert.strictEqual(waiting.size, 0)
  assert.strictEqual(observed.log.length, logAtEnd, "something went on after the end")
  assert.isAtMost(observed.lastAt, endedAt)
  assert.isAtMost(observed.mostAtWork, options.concurrency)
  assert.strictEqual(observed.atWork, 0)
  assert.deepStrictEqual(lateEvents, [])
  assert.deepStrictEqual(observed.misuse, [])
  for (const tag of ["start", "end", "hook", "hooked"] as const) unique(observed.ids(tag))
  assert.deepStrictEqual(sorted(observed.ids("start")), sorted(observed.ids("end")))
  assert.deepStrictEqual(sorted(observed.ids("hook")), sorted(observed.ids("hooked")))
}

/** No hook before everything below it and its own item, whatever happened. */
const hooksComeLast = ({ observed }: Result) => {
  const at = (tag: "end" | "hooked" | "hook" | "start", id: number) =>
    observed.log.findIndex((entry) => entry._tag === tag && entry.id === id)
  const tellers = new Set(observed.ids("hook"))
  const begun = new Set(observed.ids("start"))
  for (const id of tellers) assert.isBelow(at("end", id), at("hook", id))
  for (const planned of observed.planned) {
    for (const above of ancestors(planned)) {
      if (!tellers.has(above.item.id)) continue
      if (begun.has(planned.item.id)) assert.isBelow(at("end", planned.item.id), at("hook", above.item.id))
      if (tellers.has(planned.item.id)) assert.isBelow(at("hooked", planned.item.id), at("hook", above.item.id))
    }
  }
}

/** What hooks were told agrees with what settled, and in which order. */
const hooksAreTold = (result: Result) => {
  const settled = told(result, "Settled")
  const processed = told(result, "Processed")
  for (const [id, outcomes] of result.observed.told) {
    assert.strictEqual(outcomes.own, processed.get(id))
    const ignores = result.observed.planned[id]!.item[CrawlItem.TypeId] === "Ignore"
    const expected = [...settled].filter(([child, exit]) =>
      result.observed.planned[child]!.parent?.item.id === id && (!ignores || Exit.isSuccess(exit))
    )
    assert.deepStrictEqual(outcomes.children.map(({ item }) => idOf(item)), expected.map(([child]) => child))
    outcomes.children.forEach(({ exit }, i) => assert.strictEqual(exit, expected[i]![1]))
  }
}

/** Asks for the end in several ways at random moments, some of whom do not wait for it. */
const meddle =
  (ways: ReadonlyArray<"stop" | "kill" | "close">): NonNullable<Parameters<typeof crawl>[0]["meddle"]> =>
  (crawling, surrounding) =>
    Effect.gen(function*() {
      for (let i = yield* between(0, 10); i > 0; i--) yield* Effect.yieldNow
      yield* Effect.sleep(yield* between(0, 20))
      for (let i = yield* between(1, 3); i > 0; i--) {
        const way = yield* pick(ways)
        const asking = yield* Effect.forkChild(
          way === "close" ? Scope.close(surrounding, Exit.void) : crawling[way],
          { startImmediately: yield* chance(0.5) }
        )
        if (i > 1 && (yield* chance(0.5))) yield* Effect.forkChild(Fiber.interrupt(asking))
        else yield* Fiber.join(asking)
      }
    })

describe("Crawler", () => {
  it.effect("law: every item that is enqueued is processed once and settles once, and the report adds up", () =>
    check({}, (result) => {
      addsUp(result)
      const { observed, report, roots } = result
      const all = enqueued(result)
      unique(all)
      assert.strictEqual(report.enqueued, all.length)
      assert.deepStrictEqual(sorted(observed.ids("start")), all)
      const settled = told(result, "Settled")
      assert.deepStrictEqual(sorted(told(result, "Processed").keys()), all)
      assert.deepStrictEqual(sorted(settled.keys()), all)
      for (const outcome of ["succeeded", "failed", "interrupted"] as const) {
        assert.strictEqual([...settled.values()].filter((exit) => kind(exit) === outcome).length, report[outcome])
      }
      assert.deepStrictEqual(
        report.roots.map(({ item }) => item.id),
        [...settled.keys()].filter((id) => roots.some(({ item }) => item.id === id))
      )
      for (const { exit, item } of report.roots) assert.strictEqual(exit, settled.get(item.id))
    }))

  it.effect("law: each hook runs once, after the item and all below it, and is told exactly what its children came to", () =>
    check({}, (result) => {
      const { observed } = result
      hooksComeLast(result)
      hooksAreTold(result)
      const all = new Set(enqueued(result))
      assert.deepStrictEqual(
        sorted(observed.ids("hook")),
        sorted(observed.planned.filter((each) => isHooked(each) && all.has(each.item.id)).map(({ item }) => item.id))
      )
    }))

  it.effect("law: an item comes to what its hook gives, or without one to what its processing gives", () =>
    check({}, (result) => {
      const processed = told(result, "Processed")
      const failing = { failExit: "exit", fail: "failed", failLate: "late", die: "defect", throw: "thrown" } as const
      const expected = (plan: Planned["plan"], value: number) => (exit: Exit.Exit<unknown, unknown>) => {
        if (plan === "interruptItself") assert.strictEqual(kind(exit), "interrupted")
        else if (plan in failing) {
          assert.strictEqual(kind(exit), "failed")
          assert.include(`${(exit as Exit.Failure<unknown, unknown>).cause}`, `${failing[plan as "fail"]} ${value}`)
        } else assert.deepStrictEqual(exit, Exit.succeed(value))
      }
      for (const [id, exit] of told(result, "Settled")) {
        const planned = result.observed.planned[id]!
        expected(planned.plan, id)(processed.get(id)!)
        if (isHooked(planned)) expected(planned.hook, id + 1000)(exit)
        else assert.strictEqual(exit, processed.get(id))
      }
    }))

  it.effect("law: one worker begins items in the order of the crawl", () =>
    check({ concurrency: 1 }, ({ observed, options: { order }, roots }) => {
      const waiting = roots.map(({ item }) => item)
      for (const { _tag, id } of observed.log) {
        if (_tag === "enqueue") waiting.push(observed.planned[id]!.item)
        if (_tag !== "start") continue
        const next = nextOf(order, waiting)
        assert.strictEqual(id, next?.id)
        waiting.splice(waiting.indexOf(next!), 1)
      }
      assert.deepStrictEqual(waiting, [])
    }))

  it.effect("law: never more are at work than concurrency allows, items and hooks together, and at times as many", () =>
    Effect.gen(function*() {
      const reached = new Set<boolean>()
      yield* check({}, ({ observed, options: { concurrency } }) => {
        assert.isAtMost(observed.mostAtWork, concurrency)
        reached.add(concurrency > 1 && observed.mostAtWork === concurrency)
      })
      assert.isTrue(reached.has(true))
    }))

  it.effect("law: the crawl ends when the last root has settled, at once, and Ended is the last that is told", () =>
    check({}, ({ endedAt, observed, report }) => {
      assert.strictEqual(endedAt, observed.lastAt)
      const last = observed.events.at(-1)!
      assert.deepStrictEqual(last, { _tag: "Ended", report })
      assert.strictEqual(observed.events.filter(({ _tag }) => _tag === "Ended").length, 1)
      assert.strictEqual(observed.events.at(-2)?._tag, "Settled")
    }))

  it.effect("law: of each item is told that it was enqueued, started, processed and settled, in this order", () =>
    check({ failFast: true }, ({ observed, roots }) => {
      const tags = new Map<number, string>()
      for (const event of observed.events) {
        if (!("about" in event) || event._tag === "Described") continue
        const { depth, item, parentId } = event.about
        const planned = observed.planned[idOf(item)]!
        assert.strictEqual(depth, ancestors(planned).length)
        assert.strictEqual(parentId === undefined, planned.parent === undefined)
        tags.set(idOf(item), `${tags.get(idOf(item)) ?? ""} ${event._tag}`)
      }
      for (const [id, told] of tags) {
        // Nobody can watch before the roots are enqueued, and one that is not begun any more is processed without a start.
        if (roots.some(({ item }) => item.id === id)) assert.match(told, /^( Started)? Processed Settled$/)
        else assert.match(told, /^ Enqueued( Started)? Processed Settled$/)
      }
    }))

  it.effect("law: with failFast everything still settles once, hooks still come last, and the report adds up", () =>
    check({ failFast: true }, (result) => {
      addsUp(result)
      hooksComeLast(result)
      hooksAreTold(result)
      assert.deepStrictEqual(sorted(told(result, "Settled").keys()), enqueued(result))
      assert.strictEqual(result.report.enqueued, enqueued(result).length)
      assert.strictEqual(result.endedAt, result.observed.lastAt)
    }))

  it.effect("law: an item with failFast fails with the first child that does, unless it failed by itself before", () =>
    check({ failFast: true }, (result) => {
      const { observed } = result
      const processed = told(result, "Processed")
      for (const [id, exit] of told(result, "Settled")) {
        const planned = observed.planned[id]!
        if (!isFast(planned)) continue
        const first = observed.events.find((event) =>
          event._tag === "Processed"
            ? event.about.item === planned.item && Exit.isFailure(event.exit)
            : event._tag === "Settled" && kind(event.exit) === "failed" &&
              observed.planned[idOf(event.about.item)]!.parent === planned
        ) as Exited | undefined
        if (first?._tag === "Settled") {
          const error = Exit.isFailure(exit) && exit.cause.reasons[0]
          assert.isTrue(error && error._tag === "Fail" && error.error instanceof CrawlOutcome.ChildFailed)
          if (error && error._tag === "Fail") {
            const failed = error.error as CrawlOutcome.ChildFailed
            assert.strictEqual(failed.item, planned.item)
            assert.strictEqual(failed.cause, (first.exit as Exit.Failure<unknown, unknown>).cause)
          }
        }
        if (first?._tag === "Processed") assert.strictEqual(exit, processed.get(id))
        if (first !== undefined) assert.isFalse(observed.told.has(id), "the hook of an item that failed fast")
      }
    }))

  it.effect("law: with failFast what is left below is interrupted, and what is outside is untouched", () =>
    check({ failFast: true }, (result) => {
      const { observed } = result
      const place = (tag: string, id: number) =>
        observed.events.findIndex((event) => event._tag === tag && "about" in event && idOf(event.about.item) === id)
      const failedFastAt = (planned: Planned) =>
        observed.events.findIndex((event) =>
          event._tag === "Processed"
            ? event.about.item === planned.item && Exit.isFailure(event.exit)
            : event._tag === "Settled" && kind(event.exit) === "failed" &&
              observed.planned[idOf(event.about.item)]!.parent === planned
        )
      for (const [id, exit] of told(result, "Processed")) {
        const planned = observed.planned[id]!
        const guards = [planned, ...ancestors(planned)].filter(isFast)
        const overs = guards.map(failedFastAt).filter((at) => at >= 0)
        const processedAt = place("Processed", id)
        const over = Math.min(...overs, Infinity)
        if (place("Started", id) > over) assert.fail(`item ${id} began below one that had failed`)
        if (processedAt < over || overs.length === 0) {
          assert.strictEqual(kind(exit) === "interrupted", planned.plan === "interruptItself", `item ${id}`)
        } else if (place("Started", id) < 0 && planned.parent !== undefined) {
          assert.strictEqual(kind(exit), "interrupted")
        }
        if (kind(exit) === "interrupted" && planned.plan === "sleep" && overs.length === 0) assert.fail()
      }
      for (const planned of observed.planned) {
        if ([planned, ...ancestors(planned)].some(isFast) || !observed.ids("start").includes(planned.item.id)) continue
        assert.strictEqual(observed.ids("hook").includes(planned.item.id), isHooked(planned))
        for (const child of planned.before) assert.include(observed.ids("start"), child.item.id)
      }
    }))

  it.effect.each([[["stop"]], [["kill"]], [["stop", "kill"]], [["close"]], [["stop", "kill", "close"]]] as const)(
    "law: ended by %s at a random moment, the report adds up and nothing goes on",
    ([ways]) =>
      check({ failFast: true, meddle: meddle(ways) }, (result) => {
        addsUp(result)
        hooksComeLast(result)
        hooksAreTold(result)
        assert.strictEqual(result.report.enqueued, enqueued(result).length)
        const settled = told(result, "Settled")
        for (const id of settled.keys()) assert.include(enqueued(result), id)
        assert.isAtLeast(result.report.interrupted, result.report.enqueued - settled.size)
        assert.strictEqual(result.observed.events.filter(({ _tag }) => _tag === "Ended").length <= 1, true)
      })
  )

  it.effect("law: stop finishes what is being processed and begins nothing more", () =>
    Simulation.check(
      () =>
        Effect.gen(function*() {
          let begunAtStop: ReadonlyArray<number> = []
          const begun: Array<number> = []
          const ended: Array<number> = []
          class Leaf extends CrawlItem.Class<Leaf>()("Leaf", { id: Schema.Finite }) {}
          const layer = Leaf.toLayer({
            process: ({ id }) =>
              Effect.andThen(
                Effect.sync(() => begun.push(id)),
                Effect.andThen(Effect.sleep(1 + id % 4), Effect.sync(() => ended.push(id)))
              )
          })
          const items = Array.from({ length: 20 }, (_, id) => new Leaf({ id }))
          yield* Effect.scoped(Effect.gen(function*() {
            const crawling = yield* Crawler.make(items, { concurrency: yield* between(1, 6) })
            yield* Effect.sleep(yield* between(0, 15))
            for (let i = yield* between(0, 5); i > 0; i--) yield* Effect.yieldNow
            const stopping = yield* Effect.forkChild(crawling.stop, { startImmediately: true })
            begunAtStop = [...begun]
            const report = yield* Fiber.join(stopping)
            assert.strictEqual(report.succeeded, ended.length)
            assert.strictEqual(report.interrupted, 20 - ended.length)
          })).pipe(Effect.provide(layer))
          assert.deepStrictEqual(sorted(ended), sorted(begun))
          // Those that had been taken and not yet entered may follow.
          assert.isAtMost(begun.length, begunAtStop.length + 6)
        }),
      undefined,
      { runs: 100 }
    ))
})
