import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import type { CrawlStore, CrawlStoreError } from "effect-crawler"

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
const family = (
  store: CrawlStore.CrawlStore,
  children: ReadonlyArray<CrawlStore.NewItem>,
  given: Partial<CrawlStore.OpenOptions> & { readonly root?: Partial<CrawlStore.NewItem> } = {}
) =>
  Effect.gen(function*() {
    const session = yield* store.open(opening([item("root", given.root)], given))
    const root = yield* takeOne(session)
    return { session, root, committed: yield* session.commit([processed(root, children)]) }
  })

/** What is known of a store besides the contract. */
export interface Kind {
  /** Whether several processes may have a crawl open; otherwise the last one has it. */
  readonly isShared: boolean
  /** How deep a chain it settles in reasonable time: each of its items takes a claim and a commit. */
  readonly depth: number
  readonly it: (name: string, effect: () => Effect.Effect<void, unknown, Scope.Scope>) => void
}

/** The promises of every store. `make` gives one of a crawl that is new. */
export const suite = (
  name: string,
  make: Effect.Effect<CrawlStore.CrawlStore, unknown, Scope.Scope>,
  { depth, isShared, it }: Kind
): void => {
  const test = (
    name: string,
    run: (store: CrawlStore.CrawlStore) => Effect.Effect<void, unknown, Scope.Scope>
  ) => it(name, () => Effect.flatMap(make, run))

  /** What the end of a process that did not close anything leaves behind, as the next one finds it. */
  const resumed = (
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

  describe(`${name} keeps the promises of a crawl store`, () => {
    describe("open", () => {
      test("adds the roots of a crawl that is new, by number from 1", (store) =>
        Effect.gen(function*() {
          const { claim, opened } = yield* store.open(opening([item("a"), item("b", { tracked: true })]))
          assert.deepStrictEqual(opened, {
            isNew: true,
            totals: {
              enqueued: 2,
              succeeded: 0,
              failed: 0,
              interrupted: 0,
              skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
              tracked: 1,
              trackedSettled: 0
            },
            waiting: new Map([["a", 1], ["b", 1]]),
            hasEnded: false
          })
          const { claimed } = yield* claim({ limit: 9, except: [] })
          assert.deepStrictEqual(claimed.map(({ depth, id, name, parentId }) => ({ depth, id, name, parentId })), [
            { depth: 0, id: 1, name: "a", parentId: undefined },
            { depth: 0, id: 2, name: "b", parentId: undefined }
          ])
        }))

      test("has ended when there are no roots", (store) =>
        Effect.gen(function*() {
          const { claim, opened } = yield* store.open(opening([]))
          assert.isTrue(opened.hasEnded)
          assert.isTrue((yield* claim({ limit: 1, except: [] })).hasEnded)
        }))

      test("adds no roots to a crawl that was begun", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(store, opening([item("a")]), () => Effect.void)
          assert.isFalse(session.opened.isNew)
          assert.strictEqual(session.opened.totals.enqueued, 1)
          assert.deepStrictEqual(namesOf(yield* take(session)), ["a"])
        }))

      test("counts what waits by class, with what is given back", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(store, opening([item("a")]), (session) =>
            Effect.gen(function*() {
              yield* session.commit([processed(yield* takeOne(session), [item("b"), item("b"), item("c")])])
              yield* take(session, 2)
            }))
          assert.deepStrictEqual(session.opened.waiting, new Map([["b", 2], ["c", 1]]))
        }))

      test("does not count what is ready for its hook as waiting", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(store, opening([item("a", { hooked: true })]), (session) =>
            Effect.flatMap(takeOne(session), (a) =>
              session.commit([processed(a)])))
          assert.deepStrictEqual(session.opened.waiting, new Map())
        }))

      test("gives back what was claimed, to be processed or for a hook", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(
            store,
            opening([item("a", { hooked: true }), item("b"), item("c")]),
            (session) =>
              Effect.gen(function*() {
                yield* session.commit([processed((yield* take(session, 1))[0]!)])
                assert.deepStrictEqual(namesOf(yield* take(session, 2)), ["a", "b"])
              })
          )
          const claimed = yield* take(session)
          assert.deepStrictEqual(namesOf(claimed), ["a", "b", "c"])
          assert.isDefined(claimed[0]!.after)
          yield* session.commit([hooked(claimed[0]!), processed(claimed[1]!), processed(claimed[2]!)])
          assert.isTrue((yield* session.claim({ limit: 1, except: [] })).hasEnded)
        }))

      test("tells that a crawl has ended, and what its roots came to", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(store, opening([item("a"), item("b")]), (session) =>
            Effect.gen(function*() {
              const [a, b] = yield* take(session)
              yield* session.commit([processed(b!, [], { outcome: "failed" }), processed(a!)])
            }))
          assert.isTrue(session.opened.hasEnded)
          assert.deepStrictEqual(namesOf(yield* session.roots), ["b", "a"])
          assert.deepStrictEqual(session.opened.totals.failed, 1)
        }))

      test("gives back what is claimed when the Scope closes", (store) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const session = yield* Scope.provide(store.open(opening([item("a")])), scope)
          const a = yield* takeOne(session)
          yield* Scope.close(scope, Exit.void)
          const next = yield* store.open(opening([]))
          const again = yield* takeOne(next)
          assert.notStrictEqual(again.lease, a.lease)
        }))

      test("goes on in another order and with other limits", (store) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          yield* Scope.provide(store.open(opening([item("a", { priority: 2 }), item("b"), item("c")])), scope)
          yield* Scope.close(scope, Exit.void)
          const session = yield* store.open(opening([], { order: "priority", maxItems: 4 }))
          const [b, c, a] = yield* take(session)
          assert.deepStrictEqual(namesOf([b!, c!, a!]), ["b", "c", "a"])
          const { children } = yield* session.commit([processed(a!, [item("d"), item("e")])])
          assert.deepStrictEqual(children, [[4, "maxItems"]])
        }))
    })

    if (!isShared) {
      test("shuts out whoever had the crawl open before", (store) =>
        Effect.gen(function*() {
          const before = yield* store.open(opening([item("a")]))
          const a = yield* takeOne(before)
          const after = yield* store.open(opening([]))
          for (const use of [before.claim({ limit: 1, except: [] }), before.commit([processed(a)])]) {
            const { message, reason } = yield* Effect.flip(
              use as Effect.Effect<unknown, CrawlStoreError.CrawlStoreError>
            )
            assert.strictEqual(reason, "TakenOver")
            assert.include(message, "goes on")
          }
          assert.deepStrictEqual(namesOf(yield* take(after)), ["a"])
        }))

      test("leaves to the next one what it has claimed, when one that was shut out is closed", (store) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          yield* Scope.provide(store.open(opening([item("a")])), scope)
          const after = yield* store.open(opening([]))
          const a = yield* takeOne(after)
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual(yield* take(after), [])
          assert.deepStrictEqual((yield* after.commit([processed(a)])).refused, [])
        }))
    }

    describe("claim", () => {
      const mixed = [
        item("b", { priority: 1 }),
        item("a", { priority: 0 }),
        item("d", { priority: 1.5 }),
        item("c", { priority: 1 }),
        item("e", { priority: -2 })
      ]
      for (const [order, expected] of [["fifo", "badce"], ["lifo", "ecdab"], ["priority", "eabcd"]] as const) {
        test(`gives items in the order "${order}"`, (store) =>
          Effect.gen(function*() {
            const session = yield* store.open(opening(mixed, { order }))
            const first = yield* take(session, 2)
            const rest = yield* take(session)
            assert.strictEqual(namesOf([...first, ...rest]).join(""), expected)
            assert.strictEqual(first[0]!.priority, mixed.find(({ name }) => name === expected[0])!.priority)
          }))
      }

      test("gives the newest first, in the order \"lifo\", also of what was added later", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a"), item("b")], { order: "lifo" }))
          const [b] = yield* take(session, 1)
          yield* session.commit([processed(b!, [item("c"), item("d")])])
          assert.deepStrictEqual(namesOf(yield* take(session)), ["d", "c", "a"])
        }))

      test("gives no more than the limit, and nothing twice", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening(["a", "b", "c"].map((name) => item(name))))
          assert.deepStrictEqual(namesOf(yield* take(session, 0)), [])
          assert.deepStrictEqual(namesOf(yield* take(session, 2)), ["a", "b"])
          assert.deepStrictEqual(namesOf(yield* take(session, 2)), ["c"])
          assert.deepStrictEqual(namesOf(yield* take(session, 2)), [])
        }))

      test("gives all there is to know of an item", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [
            item("child", { data: "{\"x\":\"\\u0000 ü 😀\"}", priority: 2.5, limitKey: "host" })
          ], { root: { failsFast: true } })
          const child = yield* takeOne(session)
          assert.deepStrictEqual(child, {
            id: 2,
            lease: child.lease,
            name: "child",
            data: "{\"x\":\"\\u0000 ü 😀\"}",
            depth: 1,
            parentId: 1,
            parent: { name: "root", data: "{\"is\":\"root\"}" },
            priority: 2.5,
            limitKey: "host",
            scope: 1,
            isOver: false,
            after: undefined
          })
        }))

      for (const order of ["fifo", "lifo", "priority"] as const) {
        test(`leaves keys alone, in the order "${order}"`, (store) =>
          Effect.gen(function*() {
            const roots = ["x", "y", "x", undefined, "z", "x"].map((limitKey, i) => item(`${i}`, { limitKey }))
            const session = yield* store.open(opening(roots, { order }))
            const expected = ["1", "3"]
            if (order === "lifo") expected.reverse()
            assert.deepStrictEqual(namesOf(yield* take(session, 9, ["x", "z", "none"])), expected)
            assert.deepStrictEqual(namesOf(yield* take(session, 1, ["x"])), ["4"])
            assert.strictEqual((yield* take(session)).length, 3)
          }))

        test(`finds other keys behind more items than it looks through, in the order "${order}"`, (store) =>
          Effect.gen(function*() {
            const many = Array.from({ length: 2500 }, (_, i) => item(`x${i}`, { limitKey: "x", priority: -i }))
            const few = ["y", undefined, "z", "y", "z"].map((limitKey, i) =>
              item(`${i}`, { limitKey, priority: 5 - i })
            )
            const { session } = yield* family(store, order === "lifo" ? [...few, ...many] : [...many, ...few], {
              order
            })
            const claimed = [...yield* take(session, 2, ["x"]), ...yield* take(session, 9, ["x"])]
            const expected = ["0", "1", "2", "3", "4"]
            if (order !== "fifo") expected.reverse()
            assert.deepStrictEqual(namesOf(claimed), expected)
            assert.deepStrictEqual(yield* take(session, 9, ["x"]), [])
          }))
      }

      test("takes keys of any text for what they are", (store) =>
        Effect.gen(function*() {
          const keys = ["", "\"", "a", "A", " a", "\u0000", "\ud800", "x".repeat(1500), "'; --"]
          const session = yield* store.open(
            opening(keys.map((key, i) => item(`${i}`, { limitKey: key, uniqueKey: key })))
          )
          for (const [i, key] of keys.entries()) {
            const [claimed] = yield* take(session, 1, keys.filter((other) => other !== key))
            assert.deepStrictEqual([claimed!.name, claimed!.limitKey], [`${i}`, key])
          }
        }))
    })

    describe("hooks", () => {
      test("claims a hooked item again when all below has settled, with what its children came to", (store) =>
        Effect.gen(function*() {
          const { committed, session } = yield* family(store, [item("a"), item("b")], { root: { hooked: true } })
          assert.deepStrictEqual(committed.settled, [])
          const [a, b] = yield* take(session)
          const { settled } = yield* session.commit([
            processed(b!, [], { outcome: "failed" }),
            processed(a!, [item("c")])
          ])
          assert.deepStrictEqual(namesOf(settled), ["b"])
          const c = yield* takeOne(session)
          assert.deepStrictEqual(namesOf((yield* session.commit([processed(c)])).settled), ["c", "a"])
          const root = yield* takeOne(session)
          assert.deepStrictEqual(root.after, {
            own: "\"root succeeded\"",
            children: [
              { name: "b", data: "{\"is\":\"b\"}", exit: "\"b failed\"", outcome: "failed" },
              { name: "a", data: "{\"is\":\"a\"}", exit: "\"a succeeded\"", outcome: "succeeded" }
            ],
            failedBy: undefined
          })
          const last = yield* session.commit([hooked(root, "failed")])
          assert.deepStrictEqual(last.settled, [{
            id: 1,
            name: "root",
            data: "{\"is\":\"root\"}",
            exit: "\"root hook failed\"",
            outcome: "failed",
            depth: 0,
            parentId: undefined
          }])
          assert.isTrue(last.hasEnded)
          assert.deepStrictEqual([last.totals.succeeded, last.totals.failed], [2, 2])
        }))

      test("claims a hooked item without children again at once", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a", { hooked: true })]))
          yield* session.commit([processed(yield* takeOne(session))])
          assert.deepStrictEqual((yield* takeOne(session)).after, {
            own: "\"a succeeded\"",
            children: [],
            failedBy: undefined
          })
        }))

      test("gives hooks before what waits, in the order in which they became ready", (store) =>
        Effect.gen(function*() {
          const names = ["a", "b", "c", "d"]
          const session = yield* store.open(
            opening(names.map((name) => item(name, { hooked: name !== "d" })), { order: "lifo" })
          )
          const [, c, b, a] = yield* take(session)
          yield* session.commit([processed(b!), processed(c!), processed(a!, [item("e")])])
          assert.deepStrictEqual(namesOf(yield* take(session, 1)), ["b"])
          assert.deepStrictEqual(namesOf(yield* take(session)), ["c", "e"])
        }))

      test("leaves the hooks of keys alone, too", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a", { hooked: true, limitKey: "x" }), item("b")]))
          const [a] = yield* take(session, 1)
          yield* session.commit([processed(a!)])
          assert.deepStrictEqual(namesOf(yield* take(session, 9, ["x"])), ["b"])
          assert.deepStrictEqual(namesOf(yield* take(session)), ["a"])
        }))

      test("tells a hook of what the hooks of its children made of them", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a", { hooked: true })], { root: { hooked: true } })
          yield* session.commit([processed(yield* takeOne(session))])
          yield* session.commit([hooked(yield* takeOne(session), "interrupted")])
          const { after } = yield* takeOne(session)
          assert.deepStrictEqual(after!.children.map(({ exit, outcome }) => [exit, outcome]), [
            ["\"a hook interrupted\"", "interrupted"]
          ])
        }))

      test("settles children before their parents, through all that have no hooks", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a", { tracked: true })])
          yield* session.commit([processed(yield* takeOne(session), [item("b", { tracked: true }), item("c")])])
          const [b, c] = yield* take(session)
          yield* session.commit([processed(b!)])
          const { hasEnded, settled, totals } = yield* session.commit([processed(c!, [], { outcome: "interrupted" })])
          assert.deepStrictEqual(namesOf(settled), ["c", "a", "root"])
          assert.deepStrictEqual(settled.map(({ depth, parentId }) => [depth, parentId]), [[2, 2], [1, 1], [
            0,
            undefined
          ]])
          assert.isTrue(hasEnded)
          assert.deepStrictEqual(totals, {
            enqueued: 4,
            succeeded: 3,
            failed: 0,
            interrupted: 1,
            skipped: { duplicate: 0, maxDepth: 0, maxItems: 0 },
            tracked: 2,
            trackedSettled: 2
          })
        }))

      test("settles a tree whose forks close within one commit", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a"), item("b")])
          const [a, b] = yield* take(session)
          yield* session.commit([processed(a!, [item("c"), item("d")]), processed(b!, [item("e"), item("f")])])
          const leaves = yield* take(session)
          const { settled } = yield* session.commit(leaves.map((leaf) => processed(leaf)))
          assert.strictEqual(namesOf(settled).join(" "), "c d a e f b root")
        }))

      test(`settles a chain of ${depth} in one commit`, (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("0")]))
          for (let below = 1; below < depth; below++) {
            yield* session.commit([processed(yield* takeOne(session), [item(`${below}`)])])
          }
          const { hasEnded, settled } = yield* session.commit([processed(yield* takeOne(session))])
          assert.isTrue(hasEnded)
          assert.deepStrictEqual(
            settled.map(({ depth }) => depth),
            Array.from({ length: depth }, (_, i) => depth - 1 - i)
          )
        }))
    })

    describe("children", () => {
      test("are added once by unique key, within a batch, across batches and to a crawl that goes on", (store) =>
        Effect.gen(function*() {
          const a = item("a", { uniqueKey: "a" })
          const b = item("b", { uniqueKey: "b" })
          const session = yield* resumed(store, opening([a, a, item("root")]), (session) =>
            Effect.gen(function*() {
              assert.strictEqual(session.opened.totals.skipped.duplicate, 1)
              const [first, root] = yield* take(session)
              const { children } = yield* session.commit([
                processed(first!, [b, b]),
                processed(root!, [a, b, item("c"), item("c")])
              ])
              assert.deepStrictEqual(children, [[3, "duplicate"], ["duplicate", "duplicate", 4, 5]])
            }))
          const [claimed] = yield* take(session)
          const { children, totals } = yield* session.commit([
            processed(claimed!, [b, a, item("d", { uniqueKey: "A" })])
          ])
          assert.deepStrictEqual(children, [["duplicate", "duplicate", 6]])
          assert.strictEqual(totals.skipped.duplicate, 6)
        }))

      test("are skipped beyond the most there may be, and their keys are not kept", (store) =>
        Effect.gen(function*() {
          const x = item("x", { uniqueKey: "x" })
          const session = yield* resumed(store, opening([item("root"), item("r")], { maxItems: 3 }), (session) =>
            Effect.gen(function*() {
              const { children, totals } = yield* session.commit([
                processed((yield* take(session, 1))[0]!, [item("a"), x, x])
              ])
              assert.deepStrictEqual(children, [[3, "maxItems", "maxItems"]])
              assert.deepStrictEqual([totals.enqueued, totals.skipped.maxItems], [3, 2])
            }))
          const { children } = yield* session.commit([processed((yield* take(session, 1))[0]!, [x])])
          assert.deepStrictEqual(children, [["maxItems"]])
        }))

      test("are duplicates rather than too many", (store) =>
        Effect.gen(function*() {
          const root = item("root", { uniqueKey: "a" })
          const session = yield* store.open(opening([root], { maxItems: 1 }))
          const { children } = yield* session.commit([processed(yield* takeOne(session), [root])])
          assert.deepStrictEqual(children, [["duplicate"]])
        }))

      test("that are too deep are counted", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("root")]))
          const { totals } = yield* session.commit([processed(yield* takeOne(session), [], { tooDeep: 3 })])
          assert.strictEqual(totals.skipped.maxDepth, 3)
        }))

      test("may be 30 000 in one commit", (store) =>
        Effect.gen(function*() {
          const many = Array.from({ length: 30_000 }, (_, i) => item("x", { uniqueKey: `x${i}` }))
          const { committed, session } = yield* family(store, many, { root: { hooked: true } })
          assert.strictEqual(committed.totals.enqueued, 30_001)
          assert.strictEqual(committed.children[0]!.at(-1), 30_001)
          const claimed = yield* take(session, 30_000)
          assert.deepStrictEqual(claimed.map(({ id }) => id), Array.from(many, (_, i) => i + 2))
          yield* session.commit(claimed.map((each) => processed(each)))
          assert.strictEqual((yield* takeOne(session)).after!.children.length, 30_000)
        }))
    })

    describe("failing fast", () => {
      const fast = { root: { failsFast: true, hooked: true } }

      test("brings what is below to an end when a child fails, and tells which was the first", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a"), item("b"), item("c"), item("d")], fast)
          const [a, b, c] = yield* take(session, 3)
          const first = yield* session.commit([processed(b!, [], { outcome: "failed" })])
          assert.deepStrictEqual(first.over, [1])
          const second = yield* session.commit([
            processed(a!, [], { outcome: "failed" }),
            processed(c!, [], { outcome: "interrupted" })
          ])
          assert.deepStrictEqual(second.over, [])
          const d = yield* takeOne(session)
          assert.deepStrictEqual([d.name, d.scope, d.isOver], ["d", 1, true])
          yield* session.commit([processed(d, [], { outcome: "interrupted" })])
          const root = yield* takeOne(session)
          assert.isTrue(root.isOver)
          assert.deepStrictEqual(namesOf(root.after!.children), ["b", "a", "c", "d"])
          assert.deepStrictEqual(root.after!.failedBy, {
            name: "b",
            data: "{\"is\":\"b\"}",
            exit: "\"b failed\"",
            outcome: "failed"
          })
          assert.deepStrictEqual((yield* session.commit([hooked(root, "failed")])).over, [])
        }))

      test("is not brought about by a child that was interrupted", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a"), item("b")], fast)
          const [a] = yield* take(session, 1)
          assert.deepStrictEqual((yield* session.commit([processed(a!, [], { outcome: "interrupted" })])).over, [])
          assert.isFalse((yield* takeOne(session)).isOver)
        }))

      for (const outcome of ["failed", "interrupted"] as const) {
        test(`is brought about by the item itself, when it has ${outcome}`, (store) =>
          Effect.gen(function*() {
            const session = yield* store.open(opening([item("root", fast.root)]))
            const root = yield* takeOne(session)
            const { over } = yield* session.commit([
              processed(root, [item("a"), item("b", { failsFast: true })], { outcome })
            ])
            assert.deepStrictEqual(over, [1, 3])
            const [a, b] = yield* take(session)
            assert.isTrue(a!.isOver && b!.isOver)
            yield* session.commit([processed(a!, [], { outcome: "failed" }), processed(b!)])
            assert.isUndefined((yield* takeOne(session)).after!.failedBy)
          }))
      }

      test("is nobody's business but that of the nearest item that does", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a", fast.root), item("b")], fast)
          yield* session.commit([processed((yield* take(session, 1))[0]!, [item("c"), item("d")])])
          const [b, c] = yield* take(session, 2)
          assert.deepStrictEqual([b!.scope, c!.scope], [1, 2])
          assert.deepStrictEqual((yield* session.commit([processed(c!, [], { outcome: "failed" })])).over, [2])
          const d = yield* takeOne(session)
          assert.deepStrictEqual([d.scope, d.isOver], [2, true])
        }))

      test("brings all that do below to an end, but for what has settled", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(
            store,
            [item("a", fast.root), item("b", { failsFast: true }), item("c")],
            fast
          )
          const [a, b, c] = yield* take(session)
          yield* session.commit([processed(a!, [item("d", fast.root)]), processed(b!)])
          const d = yield* takeOne(session)
          yield* session.commit([processed(d, [item("e"), item("f")])])
          const [e] = yield* take(session, 1)
          const { over } = yield* session.commit([processed(c!, [], { outcome: "failed" })])
          assert.deepStrictEqual(over, [1, 2, 5])
          const later = yield* session.commit([processed(e!, [item("g", { failsFast: true })])])
          assert.deepStrictEqual(later.over, [8])
          assert.deepStrictEqual((yield* take(session)).map(({ isOver, name }) => [name, isOver]), [["f", true], [
            "g",
            true
          ]])
        }))

      test("is remembered when the crawl goes on", (store) =>
        Effect.gen(function*() {
          const session = yield* resumed(store, opening([item("root", fast.root)]), (session) =>
            Effect.gen(function*() {
              yield* session.commit([processed(yield* takeOne(session), [item("a"), item("b")])])
              const [a] = yield* take(session)
              yield* session.commit([processed(a!, [], { outcome: "failed" })])
            }))
          assert.isTrue((yield* takeOne(session)).isOver)
        }))
    })

    describe("commit", () => {
      test("refuses a lease that was lost, and writes nothing of it", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a"), item("b")]))
          const [a, b] = yield* take(session)
          yield* session.commit([released(a!)])
          const [again] = yield* take(session)
          assert.strictEqual(again!.name, "a")
          const { children, refused, settled, totals } = yield* session.commit([
            processed(a!, [item("x", { uniqueKey: "x" })], { tooDeep: 1 }),
            processed(b!, [item("y", { uniqueKey: "x" })]),
            released(a!),
            hooked(again!)
          ])
          assert.deepStrictEqual(refused, [1, 1, 1])
          assert.deepStrictEqual(children, [[], [3], [], []])
          assert.deepStrictEqual(settled, [])
          assert.deepStrictEqual([totals.enqueued, totals.skipped.maxDepth], [3, 0])
          assert.deepStrictEqual((yield* session.commit([processed(again!)])).refused, [])
        }))

      test("refuses what is not claimed, was done before, or is not there", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a", { hooked: true }), item("b")]))
          const [a] = yield* take(session, 1)
          const twice = yield* session.commit([processed(a!), processed(a!), { ...processed(a!), id: 2 }, {
            ...processed(a!),
            id: 99
          }])
          assert.deepStrictEqual(twice.refused, [1, 2, 99])
          assert.deepStrictEqual((yield* session.commit([processed(a!), hooked(a!), released(a!)])).refused, [1, 1, 1])
          const [hook] = yield* take(session, 1)
          assert.deepStrictEqual((yield* session.commit([processed(hook!)])).refused, [1])
          assert.deepStrictEqual((yield* session.commit([hooked(hook!), hooked(hook!)])).refused, [1])
          assert.strictEqual((yield* session.commit([])).totals.succeeded, 1)
        }))

      test("gives back what is released, in its place", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a"), item("b"), item("c", { hooked: true })]))
          const [a, b, c] = yield* take(session)
          yield* session.commit([processed(c!), released(b!), released(a!)])
          const claimed = yield* take(session)
          assert.deepStrictEqual(namesOf(claimed), ["c", "a", "b"])
          yield* session.commit([released(claimed[0]!)])
          const hook = yield* takeOne(session)
          assert.isDefined(hook.after)
          assert.deepStrictEqual(hook.after!.own, "\"c succeeded\"")
        }))

      test("has ended with the last root, whose outcomes stand in the order in which they settled", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening([item("a"), item("b"), item("c", { hooked: true })]))
          const [a, b, c] = yield* take(session)
          const first = yield* session.commit([
            processed(c!),
            processed(b!, [item("d")]),
            processed(a!, [], { outcome: "failed" })
          ])
          assert.isFalse(first.hasEnded)
          assert.deepStrictEqual(yield* session.roots, [
            { name: "a", data: "{\"is\":\"a\"}", exit: "\"a failed\"", outcome: "failed" }
          ])
          const [hook, d] = yield* take(session)
          yield* session.commit([processed(d!)])
          assert.isFalse((yield* session.claim({ limit: 1, except: [] })).hasEnded)
          assert.isTrue((yield* session.commit([hooked(hook!)])).hasEnded)
          assert.deepStrictEqual((yield* session.roots).map(({ exit, name }) => [name, exit]), [
            ["a", "\"a failed\""],
            ["b", "\"b succeeded\""],
            ["c", "\"c hook succeeded\""]
          ])
          assert.isTrue((yield* session.claim({ limit: 1, except: [] })).hasEnded)
        }))
    })

    describe("items", () => {
      test("are those that have been processed, in that order, with what they came to so far", (store) =>
        Effect.gen(function*() {
          const { session } = yield* family(store, [item("a"), item("b", { hooked: true }), item("c")])
          const [a, b] = yield* take(session, 2)
          yield* session.commit([processed(b!), processed(a!, [item("d")], { outcome: "failed" })])
          const all = yield* Stream.runCollect(store.items())
          assert.deepStrictEqual(all, [
            {
              sequence: 1,
              id: 1,
              parentId: undefined,
              depth: 0,
              name: "root",
              data: "{\"is\":\"root\"}",
              own: "\"root succeeded\"",
              exit: undefined
            },
            {
              sequence: 2,
              id: 3,
              parentId: 1,
              depth: 1,
              name: "b",
              data: "{\"is\":\"b\"}",
              own: "\"b succeeded\"",
              exit: undefined
            },
            {
              sequence: 3,
              id: 2,
              parentId: 1,
              depth: 1,
              name: "a",
              data: "{\"is\":\"a\"}",
              own: "\"a failed\"",
              exit: undefined
            }
          ])
          assert.deepStrictEqual(yield* Stream.runCollect(store.items(2)), all.slice(2))
          assert.deepStrictEqual(yield* Stream.runCollect(store.items(3)), [])
          const left = yield* take(session)
          yield* session.commit(left.map((each) => each.after === undefined ? processed(each) : hooked(each)))
          const exits = (yield* Stream.runCollect(store.items())).map(({ exit, name }) => [name, exit])
          assert.deepStrictEqual(exits, [
            ["root", "\"root succeeded\""],
            ["b", "\"b hook succeeded\""],
            ["a", "\"a failed\""],
            ["c", "\"c succeeded\""],
            ["d", "\"d succeeded\""]
          ])
        }))

      test("are none of a crawl that was not begun", (store) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* Stream.runCollect(store.items()), [])
        }))

      test("come whole, however many they are", (store) =>
        Effect.gen(function*() {
          const session = yield* store.open(opening(Array.from({ length: 1024 }, (_, i) => item(`${i}`))))
          const claimed = yield* take(session, 1024)
          yield* session.commit(claimed.toReversed().map((each) => processed(each)))
          const all = yield* Stream.runCollect(store.items())
          assert.deepStrictEqual(all.map(({ sequence }) => sequence), Array.from(claimed, (_, i) => i + 1))
          assert.deepStrictEqual(all.map(({ id }) => id), Array.from(claimed, (_, i) => 1024 - i))
        }))
    })
  })
}
