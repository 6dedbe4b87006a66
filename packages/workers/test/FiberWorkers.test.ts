import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import * as FiberWorkers from "effect-workers/FiberWorkers"
import * as TaskModule from "effect-workers/TaskModule"
import { WorkerHost } from "effect-workers/WorkerHost"
import { Rpc, RpcGroup, RpcMiddleware } from "effect/rpc"
import type { FromWorkerMessage } from "../src/internal/messages.ts"
import { begin, call, close, turns } from "./support/serving.ts"

class Tasks extends RpcGroup.make(
  Rpc.make("echo", { payload: Schema.Any, success: Schema.Any }),
  Rpc.make("number"),
  Rpc.make("hang"),
  Rpc.make("stubborn"),
  Rpc.make("builds", { success: Schema.Finite })
) {}

/** Says how often it was built and released, and what became of its tasks. */
const workers = () => {
  const log: Array<string> = []
  const note = (text: string) => Effect.sync(() => void log.push(text))
  let builds = 0
  class Desk extends Context.Service<Desk, { readonly number: number }>()("test/Desk") {
    static readonly layer = Layer.effect(
      Desk,
      Effect.acquireRelease(
        Effect.sync(() => ({ number: ++builds })),
        ({ number }) => Effect.andThen(Effect.yieldNow, note(`released ${number}`))
      )
    )
  }
  const gate = Deferred.makeUnsafe<void>()
  const handlers = Tasks.toLayer(Effect.map(Desk, ({ number }) => ({
    echo: Effect.succeed,
    number: () => note(`number ${number}`),
    hang: () => Effect.onInterrupt(Effect.never, () => note("interrupted")),
    stubborn: () => Effect.uninterruptible(Effect.andThen(Deferred.await(gate), note("done"))),
    builds: () => Effect.succeed(number)
  })))
  return { log, gate, layer: FiberWorkers.layer(TaskModule.make(Tasks, Layer.provide(handlers, Desk.layer))) }
}

const start = Effect.fnUntraced(function*(encoded = false) {
  const received: Array<FromWorkerMessage> = []
  const host = yield* WorkerHost
  const link = yield* host.start({ name: "worker-1", encoded, receive: (batch) => received.push(...batch) })
  link.post([begin(1)])
  return { link, received, values: () => received.map((message) => message[3]) }
})

describe("FiberWorkers", () => {
  it.effect("is a host of one worker that shares values", () =>
    Effect.gen(function*() {
      const { kind, shares, workers } = yield* WorkerHost
      assert.deepStrictEqual([kind, shares, workers], ["fiber", true, 1])
    }).pipe(Effect.provide(workers().layer)))

  it.effect("builds the handlers of each worker anew", () =>
    Effect.gen(function*() {
      const started = yield* Effect.all([start(), start()])
      for (const { link } of started) link.post([call(1, "builds")])
      yield* turns
      assert.deepStrictEqual(started.map(({ values }) => values()), [[1], [2]])
    }).pipe(Effect.provide(workers().layer)))

  it.effect("passes values as they are, or encoded, as it is told", () =>
    Effect.gen(function*() {
      const value = { a: 1 }
      const { link, values } = yield* start()
      link.post([call(1, "echo", value)])
      const encoded = yield* start(true)
      encoded.link.post([call(1, "echo", value), call(2, "builds")])
      yield* turns
      assert.strictEqual(values()[0], value)
      assert.deepStrictEqual(encoded.values()[1], 2)
    }).pipe(Effect.provide(workers().layer)))

  it.effect("never receives inside a post, and keeps their order", () =>
    Effect.gen(function*() {
      const { link, received, values } = yield* start()
      link.post([call(1, "echo", 1), call(2, "echo", 2)])
      link.post([call(3, "echo", 3)])
      assert.deepStrictEqual(received, [])
      yield* turns
      assert.deepStrictEqual(values(), [1, 2, 3])
    }).pipe(Effect.provide(workers().layer)))

  it.effect("does not start when its handlers cannot be built", () =>
    Effect.gen(function*() {
      let released = false
      const failing = TaskModule.make(
        Tasks,
        Layer.effectContext(Effect.andThen(
          Effect.acquireRelease(Effect.void, () => Effect.sync(() => released = true)),
          Effect.fail("no desk")
        )) as Layer.Layer<Rpc.ToHandler<RpcGroup.Rpcs<typeof Tasks>>, string>
      )
      const error = yield* Effect.flip(start()).pipe(Effect.provide(FiberWorkers.layer(failing)))
      assert.strictEqual(error.message, "worker-1 did not start (Refused): no desk")
      assert.isTrue(released)
    }))

  it.effect("gives back what was built when its group cannot be served", () =>
    Effect.gen(function*() {
      class Gate extends RpcMiddleware.Service<Gate>()("Gate") {}
      let released = false
      const gated = TaskModule.make(
        Tasks.middleware(Gate),
        Layer.effectContext(Effect.as(
          Effect.acquireRelease(Effect.void, () => Effect.sync(() => released = true)),
          Context.empty()
        )) as Layer.Layer<Rpc.ToHandler<RpcGroup.Rpcs<typeof Tasks>>>
      )
      const error = yield* Effect.flip(start()).pipe(Effect.provide(FiberWorkers.layer(gated)))
      assert.include(error.message, "echo has middleware")
      assert.isTrue(released)
    }))

  it.effect("can be interrupted while it starts", () =>
    Effect.gen(function*() {
      const never = TaskModule.make(
        Tasks,
        Layer.effectContext(Effect.never) as Layer.Layer<Rpc.ToHandler<RpcGroup.Rpcs<typeof Tasks>>>
      )
      const fiber = yield* Effect.forkChild(Effect.provide(start(), FiberWorkers.layer(never)), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
    }))

  describe("ends", () => {
    it.effect("by closing when what runs has ended and what the handlers hold is released", () => {
      const { layer, log } = workers()
      return Effect.gen(function*() {
        const { link, received } = yield* start()
        link.post([call(1, "number"), close])
        link.post([call(2, "number")])
        assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
        assert.deepStrictEqual(log, ["released 1"])
        assert.deepStrictEqual(received.map((message) => message[1]), [1, 2])
        link.post([call(3, "number")])
        yield* turns
        assert.strictEqual(received.length, 2)
      }).pipe(Effect.provide(layer))
    })

    it.effect("at once when it is terminated or killed, its tasks interrupted", () =>
      Effect.gen(function*() {
        for (const [how, signal] of [["terminate", "SIGTERM"], ["kill", "SIGKILL"]] as const) {
          const { layer, log } = workers()
          yield* Effect.gen(function*() {
            const { link, received } = yield* start()
            link.post([call(1, "hang")])
            yield* turns
            yield* link[how]
            yield* link.kill
            assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal })
            yield* turns
            assert.deepStrictEqual([log, received], [["interrupted", "released 1"], []])
          }).pipe(Effect.provide(layer))
        }
      }))

    it.effect("at once when it is killed, though a task must not be interrupted", () => {
      const { gate, layer, log } = workers()
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { link } = yield* Scope.provide(start(), scope)
        link.post([call(1, "stubborn")])
        yield* turns
        yield* link.kill
        yield* link.ended
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, [])
        yield* Deferred.succeed(gate, undefined)
        yield* turns
        assert.deepStrictEqual(log, ["done", "released 1"])
      }).pipe(Effect.provide(layer))
    })

    it.effect("with its Scope, which waits for what it holds", () => {
      const { layer, log } = workers()
      return Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { link } = yield* Scope.provide(start(), scope)
        link.post([call(1, "hang")])
        yield* turns
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, ["interrupted", "released 1"])
        assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal: "SIGKILL" })
      }).pipe(Effect.provide(layer))
    })

    it.effect("before it has heard what was posted at the last moment", () => {
      const { layer, log } = workers()
      return Effect.gen(function*() {
        const { link } = yield* start()
        link.post([call(1, "number")])
        yield* link.kill
        yield* turns
        assert.deepStrictEqual(log, ["released 1"])
      }).pipe(Effect.provide(layer))
    })
  })
})
