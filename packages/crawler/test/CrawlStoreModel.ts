import { assert } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import type { CrawlStore } from "effect-crawler"
import { hooked, item, opening, processed, released } from "./CrawlStoreFixtures.ts"

// A store and the one in memory, asked the same at random: they must answer the same.

/** Random numbers that a seed decides. */
const randomOf = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (most: number) => Math.floor(next() * most)
  return { below, chance: (p: number) => next() < p, pick: <A>(from: ReadonlyArray<A>): A => from[below(from.length)]! }
}
type Random = ReturnType<typeof randomOf>

const limitKeys = [undefined, "x", "y", "z"] as const
const orders = ["fifo", "lifo", "priority"] as const
const outcomes = ["succeeded", "succeeded", "failed", "interrupted"] as const

const randomItem = ({ below, chance, pick }: Random): CrawlStore.NewItem =>
  item(pick(["a", "b", "c"]), {
    data: JSON.stringify(below(1000)),
    uniqueKey: chance(0.3) ? `${below(20)}` : undefined,
    limitKey: pick(limitKeys),
    priority: below(3) - 1,
    hooked: chance(0.4),
    failsFast: chance(0.25),
    tracked: chance(0.5)
  })

const several = <A>({ below }: Random, most: number, make: () => A): ReadonlyArray<A> =>
  Array.from({ length: below(most + 1) }, make)

/** The same asked of both. A failure is an answer, too. */
const both = <A, E>(ask: (which: "model" | "store") => Effect.Effect<A, E>, what: string) =>
  Effect.gen(function*() {
    const model = yield* Effect.result(ask("model"))
    const store = yield* Effect.result(ask("store"))
    const plain = (answer: typeof model) =>
      answer._tag === "Success"
        ? answer.success
        : { fails: (answer.failure as unknown as { readonly reason: string }).reason }
    assert.deepStrictEqual(plain(store), plain(model), what)
    return model._tag === "Success" ? model.success : undefined
  })

interface Sessions {
  readonly model: CrawlStore.CrawlSession
  readonly store: CrawlStore.CrawlSession
  readonly scope: Scope.Closeable
}

/** Asks both at random, then brings the crawl to its end, and looks whether everything has settled once. */
export const agree = Effect.fnUntraced(function*(
  model: CrawlStore.CrawlStore,
  store: CrawlStore.CrawlStore,
  { isShared, seed, steps }: { readonly isShared: boolean; readonly seed: number; readonly steps: number }
) {
  const random = randomOf(seed)
  const { below, chance, pick } = random
  const at = (step: string) => `${step} of seed ${seed}`
  const held = new Map<string, CrawlStore.Claimed>()
  const stale: Array<CrawlStore.Claimed> = []
  const settled: Array<number> = []
  let hasEnded = false

  const enter = Effect.fnUntraced(function*(roots: ReadonlyArray<CrawlStore.NewItem>) {
    const options = opening(roots, { order: pick(orders), maxItems: chance(0.2) ? below(60) : Infinity })
    const scope = yield* Scope.make()
    const sessions = {
      model: yield* Scope.provide(model.open(options), scope),
      store: yield* Scope.provide(store.open(options), scope),
      scope
    }
    assert.deepStrictEqual(sessions.store.opened, sessions.model.opened, at("opened"))
    hasEnded = sessions.model.opened.hasEnded
    stale.push(...held.values())
    held.clear()
    return sessions
  })

  const claim = (sessions: Sessions, options: CrawlStore.ClaimOptions) =>
    Effect.map(both((which) => sessions[which].claim(options), at("claim")), (answer) => {
      for (const claimed of answer?.claimed ?? []) held.set(`${claimed.id} ${claimed.lease}`, claimed)
      return answer
    })

  const commit = (sessions: Sessions, commits: ReadonlyArray<CrawlStore.Commit>) =>
    Effect.map(both((which) => sessions[which].commit(commits), at("commit")), (answer) => {
      if (answer === undefined) return
      settled.push(...answer.settled.map(({ id }) => id))
      ;({ hasEnded } = answer)
      for (const { id, lease } of commits) held.delete(`${id} ${lease}`)
      const { totals } = answer
      assert.isAtMost(totals.trackedSettled, totals.tracked)
      assert.strictEqual(totals.succeeded + totals.failed + totals.interrupted, settled.length, at("totals"))
    })

  const finish = (claimed: CrawlStore.Claimed, grow: boolean): CrawlStore.Commit =>
    claimed.after !== undefined
      ? hooked(claimed, pick(outcomes))
      : processed(claimed, grow ? several(random, 4, () => randomItem(random)) : [], {
        outcome: pick(outcomes),
        tooDeep: below(3)
      })

  const look = (sessions: Sessions) =>
    Effect.gen(function*() {
      const after = below(20)
      yield* both((which) => Stream.runCollect((which === "model" ? model : store).items(after)), at("items"))
      yield* both((which) => sessions[which].report, at("report"))
    })

  let sessions: Sessions = yield* enter(several(random, 4, () => randomItem(random)))
  for (let step = 0; step < steps; step++) {
    const chosen = below(20)
    if (chosen < 8) yield* claim(sessions, { limit: below(6), except: chance(0.3) ? ["x", pick(["y", "none"])] : [] })
    else if (chosen < 16) {
      const commits = [...held.values()].filter(() => chance(0.6)).map((claimed) =>
        chance(0.1) ? released(claimed) : finish(claimed, step < steps / 2)
      )
      if (stale.length > 0 && chance(0.3)) commits.splice(below(commits.length + 1), 0, finish(pick(stale), true))
      stale.push(
        ...[...held.values()].filter(({ id, lease }) =>
          commits.some((commit) => commit.id === id && commit.lease === lease)
        )
      )
      yield* commit(sessions, commits)
    } else if (chosen < 18) yield* look(sessions)
    else {
      const before = sessions
      if (isShared || chance(0.5)) yield* Scope.close(before.scope, Exit.void)
      sessions = yield* enter([])
      if (!isShared) {
        yield* claim(before, { limit: 1, except: [] })
        yield* commit(before, stale.slice(-2).map((claimed) => finish(claimed, true)))
      }
    }
  }
  while (!hasEnded) {
    const answer = yield* claim(sessions, { limit: 50, except: [] })
    assert.isTrue(answer!.claimed.length > 0 || held.size > 0, at("nothing is left to claim, and it has not ended"))
    yield* commit(sessions, Array.from(held.values(), (claimed) => finish(claimed, false)))
  }
  yield* look(sessions)
  const last = yield* claim(sessions, { limit: 50, except: [] })
  assert.deepStrictEqual(last!.claimed, [], at("something is left when it has ended"))
  const items = yield* Stream.runCollect(store.items())
  assert.isTrue(items.every(({ exit }) => exit !== undefined), at("not settled"))
  assert.deepStrictEqual(settled.toSorted((a, b) => a - b), Array.from(items, (_, i) => i + 1), at("settled once"))
  yield* Scope.close(sessions.scope, Exit.void)
})
