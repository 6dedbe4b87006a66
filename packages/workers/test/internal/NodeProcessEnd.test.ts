import { assert, describe, it } from "@effect/vitest"
import { processEnd, type Remains, Tail } from "../../src/internal/NodeProcessEnd.ts"

const end = (remains: Partial<Remains>) =>
  processEnd({ code: null, signal: null, closing: false, lastWords: "", printed: "", ...remains })

const heap = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"

describe("NodeProcessEnd", () => {
  describe("processEnd", () => {
    it("believes V8 that memory ran out, by each of the ways in which it aborts", () => {
      const printed = `[12:0x1] 480 ms: Scavenge\n\n${heap}\n----- Native stack trace -----\n\n 1: 0xe2`
      for (const signal of ["SIGABRT", "SIGTRAP", "SIGILL"]) {
        assert.deepStrictEqual(end({ signal, printed }), { _tag: "OutOfMemory", detail: heap })
      }
      assert.deepStrictEqual(end({ code: 134, printed }), { _tag: "OutOfMemory", detail: heap })
    })

    it("does not believe one that prints so and ends otherwise", () => {
      assert.deepStrictEqual(end({ signal: "SIGKILL", printed: heap }), { _tag: "Signalled", signal: "SIGKILL" })
      assert.deepStrictEqual(end({ code: 0, printed: heap }), { _tag: "Exited", code: 0, detail: "" })
      assert.deepStrictEqual(end({ code: 1, printed: heap }), { _tag: "Exited", code: 1, detail: heap })
    })

    it("does not take another abortion for want of memory", () => {
      assert.deepStrictEqual(end({ signal: "SIGABRT", printed: "FATAL ERROR: something else" }), {
        _tag: "Signalled",
        signal: "SIGABRT"
      })
    })

    it("prefers the error that was told to what was printed", () => {
      assert.deepStrictEqual(end({ code: 1, lastWords: "Error: told", printed: "a warning\nError: told" }), {
        _tag: "Exited",
        code: 1,
        detail: "Error: told"
      })
      assert.deepStrictEqual(end({ code: 9, printed: "node: bad option\n" }), {
        _tag: "Exited",
        code: 9,
        detail: "node: bad option"
      })
    })

    it("takes only a good end of one that was asked to close for closing", () => {
      assert.deepStrictEqual(end({ code: 0, closing: true }), { _tag: "Closed" })
      assert.deepStrictEqual(end({ code: 0, printed: "a warning" }), { _tag: "Exited", code: 0, detail: "" })
      assert.deepStrictEqual(end({ code: 2, closing: true }), { _tag: "Exited", code: 2, detail: "" })
      assert.deepStrictEqual(end({ signal: "SIGTERM", closing: true }), { _tag: "Signalled", signal: "SIGTERM" })
    })
  })

  describe("Tail", () => {
    it("keeps the end of what was printed", () => {
      const tail = new Tail()
      let printed = ""
      for (let i = 0; i < 10_000; i++) {
        tail.add(Buffer.from(`line ${i}\n`))
        printed += `line ${i}\n`
      }
      assert.strictEqual(tail.text, printed.slice(-16_384))
    })

    it("keeps all of what is short, and the end of one long piece", () => {
      const tail = new Tail()
      tail.add(Buffer.from("short, "))
      tail.add(Buffer.from("both"))
      assert.strictEqual(tail.text, "short, both")
      tail.add(Buffer.from("x".repeat(100_000)))
      tail.add(Buffer.from("y"))
      assert.strictEqual(tail.text, `${"x".repeat(16_383)}y`)
    })
  })
})
