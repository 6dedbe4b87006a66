import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { FromWorker, type FromWorkerMessage } from "../../src/internal/messages.ts"
import { type Observer, start } from "../../src/internal/NodeWorkerStart.ts"
import type { WorkerEnd } from "../../src/WorkerHost.ts"

const answer = (id: number): FromWorkerMessage => [FromWorker.Succeeded, id, 0, undefined]

const ready: ReadonlyArray<FromWorkerMessage> = [[FromWorker.Ready, []]]

const exited: WorkerEnd = { _tag: "Exited", code: 3, detail: "" }

/** A worker that does what a test says, and keeps what it was asked for. */
const fake = (onSignal: (observer: Observer, signal: string) => void = () => {}) => {
  const signals: Array<string> = []
  const received: Array<FromWorkerMessage> = []
  let observer: Observer | undefined
  return {
    signals,
    received,
    get says(): Observer {
      return observer!
    },
    start: start({
      what: "fake",
      startTimeout: Duration.seconds(30),
      spawn: (_name, toldTo) => {
        observer = toldTo
        return {
          details: {},
          post: () => {},
          signal: (signal) => {
            signals.push(signal)
            onSignal(toldTo, signal)
          }
        }
      }
    }, { name: "worker-1", encoded: true, receive: (batch) => received.push(...batch) })
  }
}

const starting = (worker: ReturnType<typeof fake>) => Effect.forkChild(worker.start, { startImmediately: true })

describe("NodeWorkerStart", () => {
  it.effect("is there when it is ready, and not before", () =>
    Effect.gen(function*() {
      const worker = fake()
      const fiber = yield* starting(worker)
      assert.isUndefined(fiber.pollUnsafe())
      worker.says.onBatch(ready)
      worker.says.onBatch([answer(1)])
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(worker.received, [answer(1)])
      assert.deepStrictEqual(worker.signals, [])
      worker.says.onExit(() => exited)
      worker.says.onClose()
    }))

  it.effect("receives what arrives after the exit and before the close, and nothing else", () =>
    Effect.gen(function*() {
      const worker = fake()
      const fiber = yield* starting(worker)
      worker.says.onBatch(ready)
      const link = yield* Fiber.join(fiber)
      const ended = yield* Effect.forkChild(link.ended, { startImmediately: true })
      let why: WorkerEnd = { _tag: "Signalled", signal: "SIGABRT" }
      worker.says.onExit(() => why)
      worker.says.onBatch([answer(1)])
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(ended.pollUnsafe())
      // What it printed last tells more.
      why = { _tag: "OutOfMemory", detail: "of the heap" }
      worker.says.onClose()
      assert.deepStrictEqual(yield* Fiber.join(ended), why)
      worker.says.onBatch([answer(2)])
      assert.deepStrictEqual(worker.received, [answer(1)])
    }))

  it.effect("waits for the close no longer than a second", () =>
    Effect.gen(function*() {
      const worker = fake()
      const fiber = yield* starting(worker)
      worker.says.onBatch(ready)
      const link = yield* Fiber.join(fiber)
      worker.says.onExit(() => exited)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* link.ended, exited)
      worker.says.onBatch([answer(1)])
      worker.says.onClose()
      assert.deepStrictEqual(worker.received, [])
    }))

  it.effect("kills one that is not ready in time", () =>
    Effect.gen(function*() {
      const worker = fake(({ onClose, onExit }) => {
        onExit(() => exited)
        onClose()
      })
      const fiber = yield* starting(worker)
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(worker.signals, ["SIGKILL"])
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(
        error.message,
        "worker-1 (fake) did not start (Exited): it was not ready within 30s, and was killed"
      )
    }))

  it.effect("gives up waiting for one that outlives being killed", () =>
    Effect.gen(function*() {
      const worker = fake()
      const scope = yield* Scope.make()
      const fiber = yield* Effect.forkChild(Scope.provide(worker.start, scope), { startImmediately: true })
      worker.says.onBatch(ready)
      const link = yield* Fiber.join(fiber)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      assert.deepStrictEqual(worker.signals, ["SIGKILL"])
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      const end = yield* link.ended
      assert.strictEqual(end._tag, "Disconnected")
      worker.says.onBatch([answer(1)])
      worker.says.onExit(() => exited)
      assert.deepStrictEqual(yield* link.ended, end)
      assert.deepStrictEqual(worker.received, [])
    }))

  it.effect("passes on what it is asked for", () =>
    Effect.gen(function*() {
      const worker = fake((says, signal) => {
        if (signal === "SIGTERM") return
        says.onExit(() => ({ _tag: "Signalled", signal }))
        says.onClose()
      })
      const fiber = yield* starting(worker)
      worker.says.onBatch(ready)
      const link = yield* Fiber.join(fiber)
      yield* link.terminate
      yield* link.kill
      assert.deepStrictEqual(worker.signals, ["SIGTERM", "SIGKILL"])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal: "SIGKILL" })
    }))

  it.effect("fails when nothing can be made", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(start({
        what: "fake",
        startTimeout: Duration.seconds(30),
        spawn: () => {
          throw new Error("no more threads")
        }
      }, { name: "worker-1", encoded: true, receive: () => {} }))
      assert.strictEqual(error.reason, "Exited")
      assert.match(error.detail, /^Error: no more threads\n/)
    }))
})
