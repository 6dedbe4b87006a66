import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import type { CrawlStoreError } from "effect-crawler"
import {
  family,
  hooked,
  item,
  namesOf,
  opening,
  processed,
  released,
  resumed,
  take,
  takeOne,
  type Test
} from "./CrawlStoreFixtures.ts"

/** Who has a crawl open, what is committed, and what can be read. */
export const sessions = (test: Test, isShared: boolean): void => {
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
        const session = yield* resumed(isShared, store, opening([item("a")]), () => Effect.void)
        assert.isFalse(session.opened.isNew)
        assert.strictEqual(session.opened.totals.enqueued, 1)
        assert.deepStrictEqual(namesOf(yield* take(session)), ["a"])
      }))

    test("counts what waits by class, with what is given back", (store) =>
      Effect.gen(function*() {
        const session = yield* resumed(isShared, store, opening([item("a")]), (session) =>
          Effect.gen(function*() {
            yield* session.commit([processed(yield* takeOne(session), [item("b"), item("b"), item("c")])])
            yield* take(session, 2)
          }))
        assert.deepStrictEqual(session.opened.waiting, new Map([["b", 2], ["c", 1]]))
      }))

    test("does not count what is ready for its hook as waiting", (store) =>
      Effect.gen(function*() {
        const session = yield* resumed(isShared, store, opening([item("a", { hooked: true })]), (session) =>
          Effect.flatMap(takeOne(session), (a) =>
            session.commit([processed(a)])))
        assert.deepStrictEqual(session.opened.waiting, new Map())
      }))

    test("gives back what was claimed, to be processed or for a hook", (store) =>
      Effect.gen(function*() {
        const session = yield* resumed(
          isShared,
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
        const session = yield* resumed(isShared, store, opening([item("a"), item("b")]), (session) =>
          Effect.gen(function*() {
            const [a, b] = yield* take(session)
            yield* session.commit([processed(b!, [], { outcome: "failed" }), processed(a!)])
          }))
        assert.isTrue(session.opened.hasEnded)
        assert.deepStrictEqual(namesOf((yield* session.report).roots), ["b", "a"])
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
        assert.deepStrictEqual((yield* session.report).roots, [
          { name: "a", data: "{\"is\":\"a\"}", exit: "\"a failed\"", outcome: "failed" }
        ])
        const [hook, d] = yield* take(session)
        yield* session.commit([processed(d!)])
        assert.isFalse((yield* session.claim({ limit: 1, except: [] })).hasEnded)
        assert.isTrue((yield* session.commit([hooked(hook!)])).hasEnded)
        assert.deepStrictEqual((yield* session.report).roots.map(({ exit, name }) => [name, exit]), [
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
}
