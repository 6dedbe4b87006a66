import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import {
  family,
  hooked,
  item,
  namesOf,
  opening,
  processed,
  resumed,
  take,
  takeOne,
  type Test
} from "./CrawlStoreFixtures.ts"

/** Who settles when, what is told of it, and what is over. */
export const tree = (test: Test, isShared: boolean, depth: number): void => {
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
        const session = yield* resumed(isShared, store, opening([item("root", fast.root)]), (session) =>
          Effect.gen(function*() {
            yield* session.commit([processed(yield* takeOne(session), [item("a"), item("b")])])
            const [a] = yield* take(session)
            yield* session.commit([processed(a!, [], { outcome: "failed" })])
          }))
        assert.isTrue((yield* takeOne(session)).isOver)
      }))
  })
}
