import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { family, item, namesOf, opening, processed, resumed, take, takeOne, type Test } from "./CrawlStoreFixtures.ts"

/** What is added, and what is claimed of it. */
export const frontier = (test: Test, isShared: boolean, most: number): void => {
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
          const few = ["y", undefined, "z", "y", "z"].map((limitKey, i) => item(`${i}`, { limitKey, priority: 5 - i }))
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

    test("finds other keys just behind as many items as it looks through", (store) =>
      Effect.gen(function*() {
        const keys = [
          ...Array.from({ length: 10 }, () => "y"),
          ...Array.from({ length: 1016 }, () => "x"),
          "z",
          "z",
          "z"
        ]
        const { session } = yield* family(store, keys.map((limitKey) => item(limitKey, { limitKey })))
        assert.strictEqual((yield* take(session, 100, ["x"])).length, 13)
      }))

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

  describe("children", () => {
    test("are added once by unique key, within a batch, across batches and to a crawl that goes on", (store) =>
      Effect.gen(function*() {
        const a = item("a", { uniqueKey: "a" })
        const b = item("b", { uniqueKey: "b" })
        const session = yield* resumed(
          isShared,
          store,
          opening([a, a, item("root")]),
          (session) =>
            Effect.gen(function*() {
              assert.strictEqual(session.opened.totals.skipped.duplicate, 1)
              const [first, root] = yield* take(session)
              const { children } = yield* session.commit([
                processed(first!, [b, b]),
                processed(root!, [a, b, item("c"), item("c")])
              ])
              assert.deepStrictEqual(children, [[3, "duplicate"], ["duplicate", "duplicate", 4, 5]])
            })
        )
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
        const session = yield* resumed(
          isShared,
          store,
          opening([item("root"), item("r")], { maxItems: 3 }),
          (session) =>
            Effect.gen(function*() {
              const { children, totals } = yield* session.commit([
                processed((yield* take(session, 1))[0]!, [item("a"), x, x])
              ])
              assert.deepStrictEqual(children, [[3, "maxItems", "maxItems"]])
              assert.deepStrictEqual([totals.enqueued, totals.skipped.maxItems], [3, 2])
            })
        )
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

    test(`may be ${most} in one commit`, (store) =>
      Effect.gen(function*() {
        const many = Array.from({ length: most }, (_, i) => item("x", { uniqueKey: `x${i}` }))
        const { committed, session } = yield* family(store, many, { root: { hooked: true } })
        assert.strictEqual(committed.totals.enqueued, most + 1)
        assert.strictEqual(committed.children[0]!.at(-1), most + 1)
        const claimed = yield* take(session, most)
        assert.deepStrictEqual(claimed.map(({ id }) => id), Array.from(many, (_, i) => i + 2))
        yield* session.commit(claimed.map((each) => processed(each)))
        assert.strictEqual((yield* takeOne(session)).after!.children.length, most)
      }))
  })
}
