import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NodeThreads } from "effect-workers"
import { unreadable } from "./modules/unreadable.ts"
import { execArgv, links, moduleUrl, refusal, start, type Started } from "./support/NodeWorkerSuite.ts"

type Tell = Started["tell"]

const puppet = NodeThreads.layerEntry(moduleUrl("puppet"), { execArgv })

describe("NodeThreads", () => {
  links(NodeThreads.layerEntry)

  it.live("moves what is to be transferred, in both directions", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet)
      const bytes = new Uint8Array(1000).fill(5)
      tell("echo", bytes, [bytes.buffer])
      assert.strictEqual(bytes.byteLength, 0)
      assert.deepStrictEqual(yield* value, new Uint8Array(1000).fill(5))
      tell("move", 1000)
      assert.deepStrictEqual(yield* value, new Uint8Array(1000).fill(7))
      assert.isTrue(yield* value)
    }))

  it.live("moves once what is named twice, and copies what cannot be moved", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet)
      const bytes = new Uint8Array([1, 2, 3])
      tell("echo", [bytes, bytes.subarray(1)], [bytes.buffer, bytes.buffer])
      assert.strictEqual(bytes.byteLength, 0)
      assert.deepStrictEqual(yield* value, [new Uint8Array([1, 2, 3]), new Uint8Array([2, 3])])
      // A small Buffer lies in a pool that Node does not give away.
      const pooled = Buffer.from("abc")
      tell("echo", pooled, [pooled.buffer])
      assert.strictEqual(pooled.toString(), "abc")
      assert.deepStrictEqual(Buffer.from(yield* value).toString(), "abc")
    }))

  for (
    const [direction, tell] of [
      ["of the thread", (tell: Tell) => tell("garble")],
      ["to the thread", (tell: Tell) => tell("echo", unreadable())]
    ] as const
  ) {
    it.live(`ends one when a message ${direction} cannot be read`, () =>
      Effect.gen(function*() {
        const started = yield* start(puppet)
        tell(started.tell)
        const end = yield* started.link.ended
        assert.strictEqual(end._tag === "Exited" && end.code, 1)
        assert.include(end._tag === "Exited" ? end.detail : "", `a message ${direction} could not be read`)
      }))
  }

  it.live("counts the memory of a thread alone", () =>
    Effect.gen(function*() {
      const first = yield* start(puppet)
      const second = yield* start(puppet)
      first.tell("memory")
      const before: number = yield* first.value
      first.tell("keep", 50_000_000)
      yield* first.value
      second.tell("memory")
      assert.isBelow(yield* second.value, before + 25_000_000)
      first.tell("memory")
      // Meanwhile other memory may have been collected.
      assert.isAtLeast(yield* first.value, before + 40_000_000)
    }))

  it.live("does not start one with options that Node refuses", () =>
    Effect.gen(function*() {
      const error = yield* refusal(NodeThreads.layerEntry(moduleUrl("puppet"), { execArgv: ["--no-such-option"] }))
      assert.strictEqual(error.reason, "Exited")
      assert.include(error.detail, "--no-such-option")
    }))

  it.live("gives up one that is stuck in a system call", () =>
    Effect.gen(function*() {
      const { close, link, tell } = yield* start(puppet)
      tell("sleep", 7)
      yield* Effect.sleep("200 millis")
      yield* close
      assert.deepStrictEqual(yield* link.ended, {
        _tag: "Disconnected",
        detail: "it did not end within 5 seconds of being killed"
      })
    }))
})
