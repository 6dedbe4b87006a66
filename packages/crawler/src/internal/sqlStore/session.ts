import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClaimOptions, CrawlSession, OpenOptions } from "../../CrawlStore.ts"
import type { CrawlStoreError } from "../../CrawlStoreError.ts"
import { claim, type Frontier } from "./claim.ts"
import { addRoots, commit } from "./commit.ts"
import { patiently, withoutDefects } from "./failure.ts"
import { totalsOf } from "./settlement.ts"
import { beat, giveBackAll, giveBackLost, once, type Result, roots, type Runner, state, type Store } from "./store.ts"
import * as tables from "./tables.ts"

/** Opens a crawl until the Scope closes. */
export const open = Effect.fnUntraced(function*(
  store: Store,
  options: OpenOptions
): Effect.fn.Return<CrawlSession, CrawlStoreError, Scope.Scope> {
  const { dialect, leaseDuration } = store
  const { isShared } = dialect
  const makeIndex = (of: "items" | "keys") =>
    patiently(leaseDuration, tables.makeIndex(dialect, store.tables, options.order, of))
  yield* makeIndex("items")
  const { opened, runner } = yield* Effect.acquireRelease(
    patiently(leaseDuration, enter(store, options)),
    // What cannot be given back now is given back by whoever opens the crawl next, or finds this process gone.
    ({ runner }) => Effect.ignore(Effect.timeoutOption(withoutDefects(giveBackAll(store, runner)), leaseDuration)),
    { interruptible: true }
  )
  if (isShared) {
    // One that fails is made up for by the next; who cannot commit hears of it then.
    const beats = leaseDuration / 3
    const beatOnce = Effect.ignore(Effect.timeoutOption(beat(store, runner), beats))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(beats), beatOnce)))
  }
  let frontier: Frontier = { order: options.order, over: new Set() }
  let hasKeys = false
  let calls = 0
  const transact = <A>(transaction: Result<A>) =>
    Effect.suspend(() => patiently(leaseDuration, once(store, runner, ++calls, transaction)))
  return {
    opened,
    pollInterval: isShared ? store.pollInterval : undefined,
    claim: Effect.fnUntraced(function*(options: ClaimOptions) {
      if (options.except.length > 0 && !hasKeys) {
        yield* makeIndex("keys")
        hasKeys = true
      }
      const { found, next } = yield* transact(Effect.suspend(() => claim(store, runner, frontier, options)))
      frontier = next
      return found
    }),
    commit: (commits) =>
      Effect.map(transact(commit(store, runner, commits)), (committed) => {
        if (isShared && committed.over.length > 0) {
          frontier = { ...frontier, over: new Set([...frontier.over, ...committed.over]) }
        }
        return committed
      }),
    report: patiently(
      leaseDuration,
      store.dialect.sql.withTransaction(Effect.gen(function*() {
        return { totals: totalsOf(yield* state(store, "read")), roots: yield* roots(store) }
      }))
    )
  }
})

/** Takes the crawl over, or joins those who work on it. */
const enter = (store: Store, { maxItems, roots }: OpenOptions) => {
  const { dialect, tables } = store
  const { number, sql } = dialect
  return sql.withTransaction(Effect.gen(function*() {
    const before = yield* state(store, "write")
    const runner: Runner = { id: before.runner + 1, maxItems }
    const isNew = before.is_begun === 0
    yield* sql`UPDATE ${tables.state} SET runner = ${number(runner.id)}, is_begun = 1 WHERE id = 1`
    yield* giveBackLost(store, runner)
    if (dialect.isShared) yield* beat(store, runner)
    const counters = isNew ? yield* addRoots(store, runner, before, roots) : before
    const opened = {
      isNew,
      totals: totalsOf(counters),
      waiting: yield* waiting(store),
      hasEnded: counters.open_roots === 0
    }
    return { runner, opened }
  }))
}

/** What waits of each class: what was added, less what was processed or is being so. */
const waiting = ({ dialect: { sql }, tables }: Store) =>
  Effect.map(
    sql<{ readonly name: string; readonly waiting: number }>`SELECT c.name, c.added - c.processed - (
        SELECT count(*) FROM ${tables.item} i WHERE i.runner IS NOT NULL AND i.state = 1 AND i.name = c.name) AS waiting
      FROM ${tables.class} c`,
    (rows) =>
      new Map(rows.flatMap(({ name, waiting }) => Number(waiting) > 0 ? [[name, Number(waiting)] as const] : []))
  )
