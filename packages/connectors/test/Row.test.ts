import { assert, describe, it } from "@effect/vitest"
import { DateTime, Redacted } from "effect"
import { Row } from "effect-conveyor-connectors"
import { tickAt } from "./fixtures.ts"

const rows = (payload: unknown) => Row.fromPayload(payload).map((row) => Array.from(row))

describe("Row", () => {
  describe("fromPayload", () => {
    it.each([
      { what: "an object", payload: { a: 1, b: "x" }, expected: [[["a", 1], ["b", "x"]]] },
      { what: "an array", payload: [{ a: 1 }, { b: 2 }], expected: [[["a", 1]], [["b", 2]]] },
      { what: "an empty array", payload: [], expected: [] },
      {
        what: "an array of scalars",
        payload: [1, "x", null],
        expected: [[["value", 1]], [["value", "x"]], [["value", null]]]
      },
      { what: "an array in an array", payload: [[1, 2]], expected: [[["value", "[1,2]"]]] },
      { what: "text", payload: "x", expected: [[["value", "x"]]] },
      { what: "null", payload: null, expected: [[["value", null]]] },
      { what: "undefined", payload: undefined, expected: [] },
      { what: "a nested object", payload: { a: { b: { c: 1 }, d: 2 } }, expected: [[["a.b.c", 1], ["a.d", 2]]] },
      { what: "an array inside", payload: { a: [1, { b: 2 }] }, expected: [[["a", "[1,{\"b\":2}]"]]] },
      { what: "an empty object inside", payload: { a: {} }, expected: [[["a", "{}"]]] },
      { what: "booleans", payload: { a: true, b: false }, expected: [[["a", true], ["b", false]]] },
      { what: "bigints", payload: { a: 12n }, expected: [[["a", 12n]]] },
      {
        what: "bigints inside text",
        payload: { a: [12n, 2n ** 60n] },
        expected: [[["a", "[12,\"1152921504606846976\"]"]]]
      },
      {
        what: "numbers that are none",
        payload: { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: -0 },
        expected: [[["a", null], ["b", null], ["c", -0]]]
      },
      {
        what: "dates",
        payload: { a: new Date(0), b: new Date(Number.NaN), c: DateTime.makeUnsafe(0) },
        expected: [[["a", "1970-01-01T00:00:00.000Z"], ["b", null], ["c", "1970-01-01T00:00:00.000Z"]]]
      },
      {
        what: "a zoned time, in UTC",
        payload: DateTime.makeZonedUnsafe(0, { timeZone: "Europe/Paris" }),
        expected: [[["value", "1970-01-01T00:00:00.000Z"]]]
      },
      { what: "what is missing", payload: { a: undefined, b: () => 1, c: Symbol.iterator }, expected: [[]] },
      {
        what: "maps and sets",
        payload: { a: new Map([["b", 1]]), c: new Set([1, 2]) },
        expected: [[["a.b", 1], ["c", "[1,2]"]]]
      },
      { what: "bytes", payload: { a: new Uint8Array([104, 105]) }, expected: [[["a", "aGk="]]] },
      { what: "what has a JSON form", payload: { a: Redacted.make("secret") }, expected: [[["a", "<redacted>"]]] },
      { what: "a URL", payload: { a: new URL("http://localhost/") }, expected: [[["a", "http://localhost/"]]] },
      {
        what: "names that collide",
        payload: { "a.b": 1, a: { b: 2 }, "a.b_2": 3 },
        expected: [[["a.b", 1], ["a.b_2", 2], ["a.b_2_2", 3]]]
      },
      { what: "an empty name", payload: { "": 1, value: 2 }, expected: [[["value", 1], ["value_2", 2]]] },
      { what: "integer names, in order of the engine", payload: { b: 1, 1: 2 }, expected: [[["1", 2], ["b", 1]]] },
      { what: "a dangerous name", payload: JSON.parse("{\"__proto__\":1}"), expected: [[["__proto__", 1]]] }
    ])("maps $what", ({ expected, payload }) => {
      assert.deepStrictEqual<unknown>(rows(payload), expected)
    })

    it("says where an object contains itself", () => {
      const self: Record<string, unknown> = { a: 1 }
      self["self"] = self
      assert.deepStrictEqual<unknown>(rows(self), [[["a", 1], ["self", "[circular]"]]])
    })

    it("gives the same object twice if it stands side by side", () => {
      const shared = { x: 1 }
      assert.deepStrictEqual<unknown>(rows({ a: shared, b: shared }), [[["a.x", 1], ["b.x", 1]]])
    })

    it("stops at a depth that no document of people has", () => {
      let deep: unknown = 1
      for (let i = 0; i < 100_000; i++) deep = [deep]
      assert.include(String(rows({ deep })[0]?.[0]?.[1]), "[nested too deeply]")
    })
  })

  describe("stamp", () => {
    const stamped = (payload: unknown) => Row.fromPayload(payload).map((row) => Array.from(Row.stamp(row, tickAt(0))))
    const time = "2026-11-21T12:00:00.000Z"

    it("puts dueAt first", () => {
      assert.deepStrictEqual<unknown>(stamped({ a: 1 }), [[["dueAt", time], ["a", 1]]])
    })

    it("merges a dueAt that says the same", () => {
      assert.deepStrictEqual<unknown>(stamped({ a: 1, dueAt: time }), [[["dueAt", time], ["a", 1]]])
    })

    it("keeps a dueAt that says something else", () => {
      assert.deepStrictEqual<unknown>(stamped({ dueAt: "noon" }), [[["dueAt", time], ["dueAt_2", "noon"]]])
    })
  })
})
