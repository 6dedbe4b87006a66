import { assert } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type { CrawlStore } from "effect-crawler"

/** An item with what a test says of it; its data says its name, too. */
export const item = (name: string, given: Partial<CrawlStore.NewItem> = {}): CrawlStore.NewItem => ({
  name,
  data: JSON.stringify({ is: name }),
  uniqueKey: undefined,
  limitKey: undefined,
  priority: 0,
  hooked: false,
  failsFast: false,
  tracked: false,
  ...given
})

export const processed = (
  { id, lease, name }: CrawlStore.Claimed,
  children: ReadonlyArray<CrawlStore.NewItem> = [],
  given: { readonly outcome?: CrawlStore.Outcome; readonly tooDeep?: number } = {}
): CrawlStore.Commit => ({
  _tag: "Processed",
  id,
  lease,
  exit: JSON.stringify(`${name} ${given.outcome ?? "succeeded"}`),
  outcome: given.outcome ?? "succeeded",
  children,
  tooDeep: given.tooDeep ?? 0
})

export const hooked = (
  { id, lease, name }: CrawlStore.Claimed,
  outcome: CrawlStore.Outcome = "succeeded"
): CrawlStore.Commit => ({
  _tag: "Settled",
  id,
  lease,
  exit: JSON.stringify(`${name} hook ${outcome}`),
  outcome
})

export const released = ({ id, lease }: CrawlStore.Claimed): CrawlStore.Commit => ({ _tag: "Released", id, lease })

export const opening = (
  roots: ReadonlyArray<CrawlStore.NewItem>,
  given: Partial<CrawlStore.OpenOptions> = {}
): CrawlStore.OpenOptions => ({ order: "fifo", maxItems: Infinity, roots, ...given })

export const namesOf = (items: ReadonlyArray<{ readonly name: string }>) => items.map(({ name }) => name)

/** Claims items, of all keys unless told otherwise. */
export const take = (session: CrawlStore.CrawlSession, limit = 1000, except: ReadonlyArray<string> = []) =>
  Effect.map(session.claim({ limit, except }), ({ claimed }) => claimed)

/** Claims the one item there is. */
export const takeOne = (session: CrawlStore.CrawlSession) =>
  Effect.map(take(session, 2), (claimed) => {
    assert.strictEqual(claimed.length, 1, "one item waits")
    return claimed[0]!
  })

/** A crawl of one root, with children that are added by processing it. */
export const family = (
  store: CrawlStore.CrawlStore,
  children: ReadonlyArray<CrawlStore.NewItem>,
  given: Partial<CrawlStore.OpenOptions> & { readonly root?: Partial<CrawlStore.NewItem> } = {}
) =>
  Effect.gen(function*() {
    const session = yield* store.open(opening([item("root", given.root)], given))
    const root = yield* takeOne(session)
    return { session, root, committed: yield* session.commit([processed(root, children)]) }
  })

/** A test of a store that is new. */
export type Test = (
  name: string,
  run: (store: CrawlStore.CrawlStore) => Effect.Effect<void, unknown, Scope.Scope>
) => void

/** What the end of a process that did not close anything leaves behind, as the next one finds it. */
export const resumed = (
  isShared: boolean,
  store: CrawlStore.CrawlStore,
  options: CrawlStore.OpenOptions,
  before: (session: CrawlStore.CrawlSession) => Effect.Effect<unknown, unknown>
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* before(yield* Scope.provide(store.open(options), scope))
    if (isShared) yield* Scope.close(scope, Exit.void)
    return yield* store.open(options)
  })
