import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import * as WorkerHost from "effect-workers/WorkerHost"
import { TestClock } from "effect/testing"
import { FromWorker, type FromWorkerMessage, ToWorker } from "../src/internal/messages.ts"
import type { Limits } from "../src/internal/remote/framed.ts"
import * as Frames from "../src/internal/remote/frames.ts"
import { serve } from "../src/internal/remote/hostedWorker.ts"
import { pack } from "../src/internal/remote/packing.ts"
import * as RemoteWorker from "../src/internal/remote/remoteWorker.ts"
import { pair } from "./support/memoryConnections.ts"
import { call, make as scripted, succeeded } from "./support/scriptedHost.ts"

const limits: Limits = {
  maxFrameBytes: 4096,
  maxWaitingBytes: 8192,
  heartbeatInterval: Duration.seconds(5),
  maxMissed: 3
}

const hosting = { ...limits, maxCalls: 4, grace: Duration.millis(100), onStarted: () => Effect.void }

/** A queue and a host with a worker between them, over a connection in memory. */
const begin = (options: Parameters<typeof scripted>[0] & { readonly maxFrameBytes?: number } = {}) =>
  Effect.gen(function*() {
    const bytes = pair()
    const { host, workers } = scripted(options)
    const leaving = Deferred.makeUnsafe<void>()
    const served = yield* Effect.forkScoped(
      Effect.scoped(serve(bytes.host, host, { ...hosting, leaving: Deferred.await(leaving) }))
    )
    const received: Array<FromWorkerMessage> = []
    const scope = yield* Scope.fork(yield* Effect.scope)
    const starting = yield* Effect.forkScoped(Effect.exit(
      Scope.provide(
        RemoteWorker.start(
          bytes.client,
          "tcp://host:1",
          { name: "worker-1", encoded: true, receive: (batch) => received.push(...batch) },
          { ...limits, maxFrameBytes: options.maxFrameBytes ?? limits.maxFrameBytes }
        ),
        scope
      )
    ))
    yield* bytes.settle
    return { bytes, workers, leaving, served, received, starting, close: Scope.close(scope, Exit.void) }
  })

const started = (options?: Parameters<typeof begin>[0]) =>
  Effect.gen(function*() {
    const all = yield* begin(options)
    const link = yield* Effect.flatten(Fiber.join(all.starting))
    return { ...all, link, worker: all.workers[0]! }
  })

/** The time of several heartbeats, as long as both sides hear each other. */
const pass = (bytes: ReturnType<typeof pair>, seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds }),
    () => Effect.andThen(TestClock.adjust("1 second"), bytes.settle),
    { discard: true }
  )

describe("a worker elsewhere", () => {
  it.effect("is named by the queue, and described by its host", () =>
    Effect.gen(function*() {
      const { link, worker } = yield* started()
      assert.strictEqual(worker.name, "worker-1")
      assert.deepStrictEqual(link.details, { pid: 11, threadId: 12, address: "tcp://host:1" })
    }))

  it.effect("gets what is posted, and is heard, in order", () =>
    Effect.gen(function*() {
      const { bytes, link, received, worker } = yield* started()
      bytes.toHost.piece = 1
      bytes.toClient.piece = 1
      link.post([[ToWorker.Begin, "worker-1", 2], call(1, { a: [1, "ä", null, true] })])
      link.post([call(2), [ToWorker.Interrupt, 2], [ToWorker.Grant, 1, 7], [ToWorker.Update, 3, "set", 1.5]])
      yield* bytes.settle
      yield* bytes.settle
      assert.deepStrictEqual(worker.posted, [
        [ToWorker.Begin, "worker-1", 2],
        call(1, { a: [1, "ä", null, true] }),
        call(2),
        [ToWorker.Interrupt, 2],
        [ToWorker.Grant, 1, 7],
        [ToWorker.Update, 3, "set", 1.5]
      ])
      const answers: ReadonlyArray<FromWorkerMessage> = [
        [FromWorker.Memory, 1e9],
        [FromWorker.Chunk, 1, ["a"]],
        succeeded(1, { b: 1 }),
        [FromWorker.Failed, 2, 3, { _tag: "Failure" }]
      ]
      worker.post(...answers)
      yield* bytes.settle
      assert.deepStrictEqual(received, answers)
    }))

  it.effect("gets bytes that are its own, to be moved further", () =>
    Effect.gen(function*() {
      const { bytes, link, received, worker } = yield* started()
      link.post([call(1, { image: Uint8Array.of(1, 2, 3) })])
      yield* bytes.settle
      const payload = worker.posted[0]![3] as { readonly image: Uint8Array }
      assert.deepStrictEqual(payload, { image: Uint8Array.of(1, 2, 3) })
      assert.deepStrictEqual(worker.transfers, [payload.image.buffer])
      worker.post(succeeded(1, payload.image))
      yield* bytes.settle
      assert.deepStrictEqual(received[0]![3], Uint8Array.of(1, 2, 3))
    }))

  it.effect("ends as it ended there, and is not heard after it", () =>
    Effect.gen(function*() {
      for (
        const end of [
          { _tag: "Closed" },
          { _tag: "Exited", code: 3, detail: "Error: of this" },
          { _tag: "Signalled", signal: "SIGKILL" },
          { _tag: "OutOfMemory", detail: "heap limit" },
          { _tag: "Disconnected", detail: "elsewhere" }
        ] as const
      ) {
        const { bytes, link, received, served, worker } = yield* started()
        worker.post(succeeded(9))
        worker.end(end)
        yield* bytes.settle
        assert.deepStrictEqual(yield* link.ended, end)
        assert.deepStrictEqual(yield* Fiber.join(served), { _tag: "Ended", end })
        worker.post(succeeded(10))
        link.post([call(1)])
        yield* bytes.settle
        assert.deepStrictEqual(received, [succeeded(9)])
        assert.deepStrictEqual(worker.posted, [])
      }
    }))

  it.effect("is not heard when its host goes on after the end", () =>
    Effect.gen(function*() {
      const { bytes, link, received } = yield* started()
      const ended = Frames.encode(Frames.Frame.Ended, pack({ _tag: "Closed" }))
      bytes.host.write(Uint8Array.from([...ended, ...Frames.encode(Frames.Frame.Batch, pack([succeeded(1)]))]))
      yield* bytes.settle
      assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
      assert.deepStrictEqual(received, [])
    }))

  it.effect("is terminated and killed there", () =>
    Effect.gen(function*() {
      const { bytes, link, worker } = yield* started({ deafTo: ["terminate"] })
      yield* link.terminate
      yield* bytes.settle
      assert.deepStrictEqual(worker.done, ["terminate"])
      yield* link.kill
      yield* bytes.settle
      assert.deepStrictEqual(worker.done, ["terminate", "kill"])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal: "SIGKILL" })
    }))

  it.effect("is given up when it is killed and its host does not answer", () =>
    Effect.gen(function*() {
      const { bytes, link } = yield* started()
      bytes.toHost.flows = false
      yield* link.kill
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* link.ended)._tag, "Disconnected")
    }))

  it.effect("is killed there when its Scope closes here", () =>
    Effect.gen(function*() {
      const { bytes, close, worker } = yield* started()
      const closing = yield* Effect.forkChild(close)
      yield* bytes.settle
      yield* Fiber.join(closing)
      assert.deepStrictEqual(worker.done, ["kill"])
    }))

  for (const reason of ["Refused", "Exited", "Full"] as const) {
    it.effect(`is not started where its host says ${reason}`, () =>
      Effect.gen(function*() {
        const failure = new WorkerHost.WorkerStartError({ reason, worker: "thread", detail: "of this" })
        const { bytes, served, starting } = yield* begin({ starting: Effect.fail(failure) })
        yield* bytes.settle
        const error = yield* Effect.flip(Effect.flatten(Fiber.join(starting)))
        assert.strictEqual(error.message, `worker-1 at tcp://host:1 did not start (${reason}): of this`)
        assert.strictEqual((yield* Fiber.join(served))._tag, "NotStarted")
      }))
  }

  it.effect("is not started where the connection is lost before it is ready", () =>
    Effect.gen(function*() {
      let isInterrupted = false
      const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (isInterrupted = true)))
      const { bytes, served, starting } = yield* begin({ starting: never })
      yield* bytes.cut
      const error = yield* Effect.flip(Effect.flatten(Fiber.join(starting)))
      assert.strictEqual(error.reason, "Unreachable")
      assert.match(error.detail, /while it started, the connection failed: read ECONNRESET/)
      assert.strictEqual((yield* Fiber.join(served))._tag, "Lost")
      assert.isTrue(isInterrupted)
    }))

  it.effect("is not heard before it is ready", () =>
    Effect.gen(function*() {
      const { bytes, link, received } = yield* started({ early: [[FromWorker.Memory, 1]] })
      yield* bytes.settle
      assert.deepStrictEqual(received, [])
      assert.strictEqual(link.details.pid, 11)
    }))

  it.effect("takes its time to start, as long as its host is heard", () =>
    Effect.gen(function*() {
      const { bytes, starting } = yield* begin({ starting: Effect.sleep("1 minute") })
      yield* pass(bytes, 61)
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(starting)))
    }))
})

describe("a connection", () => {
  it.effect("lasts as long as both sides are heard, whatever crosses", () =>
    Effect.gen(function*() {
      const { bytes, link, received, worker } = yield* started()
      yield* pass(bytes, 60)
      worker.post(succeeded(1))
      link.post([call(2)])
      yield* bytes.settle
      assert.deepStrictEqual([received.length, worker.posted.length], [1, 1])
    }))

  it.effect("is lost within 20 seconds when nothing of the host is heard, and not before 15", () =>
    Effect.gen(function*() {
      const { bytes, link } = yield* started()
      const ended = yield* Effect.forkChild(link.ended)
      yield* pass(bytes, 7)
      bytes.toClient.flows = false
      yield* pass(bytes, 12)
      assert.isUndefined(ended.pollUnsafe())
      yield* pass(bytes, 7)
      const end = yield* Fiber.join(ended)
      assert.strictEqual(end._tag === "Disconnected" && end.detail, "nothing was heard of host for 4 heartbeats")
    }))

  it.effect("that is half open ends the worker of the client that is not heard", () =>
    Effect.gen(function*() {
      const { bytes, served, worker } = yield* started({ deafTo: ["Close", "terminate"] })
      bytes.toHost.flows = false
      yield* pass(bytes, 21)
      const end = yield* Fiber.join(served)
      assert.strictEqual(end._tag === "Lost" && end.detail, "nothing was heard of client for 4 heartbeats")
      assert.deepStrictEqual(worker.done, ["terminate", "kill"])
    }))

  it.effect("that is cut has the host interrupt what runs, close, terminate and kill, with time between", () =>
    Effect.gen(function*() {
      const { bytes, link, served, worker } = yield* started({ deafTo: ["Close", "terminate"] })
      link.post([call(1), call(2), call(3)])
      yield* bytes.settle
      worker.post(succeeded(2))
      yield* bytes.settle
      worker.posted.length = 0
      yield* bytes.cut
      yield* bytes.settle
      assert.deepStrictEqual(worker.posted, [[ToWorker.Interrupt, 1], [ToWorker.Interrupt, 3], [ToWorker.Close]])
      assert.deepStrictEqual(worker.done, [])
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(worker.done, ["terminate"])
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(worker.done, ["terminate", "kill"])
      assert.deepStrictEqual(yield* Fiber.join(served), {
        _tag: "Lost",
        detail: "the connection failed: read ECONNRESET"
      })
      assert.deepStrictEqual(yield* link.ended, {
        _tag: "Disconnected",
        detail: "the connection failed: read ECONNRESET"
      })
    }))

  it.effect("that is cut leaves a worker alone that closes", () =>
    Effect.gen(function*() {
      const { bytes, served, worker } = yield* started()
      yield* bytes.cut
      yield* Fiber.join(served)
      assert.deepStrictEqual(worker.done, [])
    }))

  it.effect("is lost when more waits for the other side to read than may", () =>
    Effect.gen(function*() {
      const { bytes, link } = yield* started()
      bytes.toHost.flows = false
      for (let id = 1; id <= 3; id++) link.post([call(id, "a".repeat(3000))])
      yield* bytes.settle
      const end = yield* link.ended
      assert.match(
        end._tag === "Disconnected" ? end.detail : "",
        /^9\d{3} bytes waited for host to read them, and the limit is 8192$/
      )
    }))

  it.effect("is lost to a client that does not read the answers", () =>
    Effect.gen(function*() {
      const { bytes, served, worker } = yield* started()
      bytes.toClient.flows = false
      for (let id = 1; id <= 3; id++) worker.post(succeeded(id, "a".repeat(3000)))
      yield* bytes.settle
      assert.strictEqual((yield* Fiber.join(served))._tag, "Lost")
    }))
})

describe("what cannot cross", () => {
  it.effect("throws where it is posted, with nothing posted", () =>
    Effect.gen(function*() {
      const { bytes, link, worker } = yield* started()
      assert.throws(
        () => link.post([call(1), call(2, "a".repeat(5000))]),
        DOMException,
        "over the limit of a frame, 4096"
      )
      assert.throws(() => link.post([call(1), call(2, () => {})]), DOMException, "a function cannot be sent")
      link.post([call(3)])
      yield* bytes.settle
      assert.deepStrictEqual(worker.posted, [call(3)])
    }))

  it.effect("fails the one call whose answer it is", () =>
    Effect.gen(function*() {
      const { bytes, link, received, worker } = yield* started()
      link.post([call(1), call(2), call(3)])
      yield* bytes.settle
      worker.post(succeeded(1, "a"), succeeded(2, "a".repeat(5000)), succeeded(3, "c"))
      yield* bytes.settle
      assert.deepStrictEqual(received.map(([kind, id]) => [kind, id]), [
        [FromWorker.Succeeded, 1],
        [FromWorker.Failed, 2],
        [FromWorker.Succeeded, 3]
      ])
      assert.match(JSON.stringify(received[1]), /the answer cannot be sent: 5\d{3} bytes are over the limit of a frame/)
    }))

  it.effect("ends the one stream that emitted it, once, and interrupts it", () =>
    Effect.gen(function*() {
      const { bytes, link, received, worker } = yield* started()
      link.post([call(1)])
      yield* bytes.settle
      worker.post([FromWorker.Chunk, 1, ["a".repeat(5000)]])
      worker.post([FromWorker.Chunk, 1, ["b"]])
      yield* bytes.settle
      assert.deepStrictEqual(worker.posted.at(-1), [ToWorker.Interrupt, 1])
      worker.post([FromWorker.Failed, 1, 1, null])
      yield* bytes.settle
      assert.deepStrictEqual(received.map(([kind, id]) => [kind, id]), [[FromWorker.Failed, 1]])
      // The number may be used again.
      link.post([call(1)])
      yield* bytes.settle
      worker.post(succeeded(1))
      yield* bytes.settle
      assert.strictEqual(received.length, 2)
    }))
})

describe("what the other side may not do", () => {
  /** Sends a host frames that no client of ours sends, and gives why it ends the connection. */
  const misbehave = (...frames: ReadonlyArray<Uint8Array>) =>
    Effect.gen(function*() {
      const { bytes, link, served, worker } = yield* started()
      for (const frame of frames) bytes.client.write(frame)
      yield* bytes.settle
      const told = yield* link.ended
      const lost = yield* Fiber.join(served)
      assert.strictEqual(told._tag, "Disconnected")
      assert.strictEqual(lost._tag, "Lost")
      return {
        worker,
        told: told._tag === "Disconnected" ? told.detail : "",
        lost: lost._tag === "Lost" ? lost.detail : ""
      }
    })

  const batch = (...messages: ReadonlyArray<unknown>) => Frames.encode(Frames.Frame.Batch, pack(messages))

  for (
    const [what, frame, detail] of [
      [
        "announces more than a frame may hold",
        Uint8Array.of(0, 0, 16, 1, 1),
        "a frame of 4097 bytes is over the limit of 4096"
      ],
      ["sends garbage for messages", Frames.encode(1, Uint8Array.of(0xc1)), "a body cannot be read"],
      ["sends a body that is cut short", Frames.encode(1, Uint8Array.of(0x92, 1)), "a body cannot be read"],
      ["sends something else than messages", Frames.encode(1, pack({ a: 1 })), "a batch is an array of messages"],
      ["sends a message of no kind", batch([17, 1]), "a message has not the shape of its kind"],
      ["calls without a name", batch([ToWorker.Call, 1, null, null, 1, 0, null]), "has not the shape of its kind"],
      [
        "calls with a number that is none",
        batch([ToWorker.Call, "1", "a", null, 1, 0, null]),
        "has not the shape of its kind"
      ],
      ["calls twice with one number", batch(call(1), call(1)), "call 1 is under way already"],
      [
        "has more calls under way than it may",
        batch(...[1, 2, 3, 4, 5].map((id) => call(id))),
        "more than 4 calls are under way"
      ],
      [
        "wants a second worker",
        Frames.encode(Frames.Frame.Start, pack("worker-2")),
        "one connection is for one worker"
      ],
      ["sends what only hosts send", Frames.encode(Frames.Frame.Ended, pack({ _tag: "Closed" })), "has no place here"]
    ] as const
  ) {
    it.effect(`a client that ${what} is told so, and loses its worker`, () =>
      Effect.gen(function*() {
        const { lost, told } = yield* misbehave(frame)
        assert.include(lost, detail)
        assert.match(told, /^host ended the connection: /)
        assert.include(told, detail)
      }))
  }

  it.effect("a client that posts before its worker is ready is disconnected", () =>
    Effect.gen(function*() {
      const { bytes, served } = yield* begin({ starting: Effect.never })
      bytes.client.write(batch(call(1)))
      yield* bytes.settle
      const lost = yield* Fiber.join(served)
      assert.include(lost._tag === "Lost" ? lost.detail : "", "the worker is not ready")
    }))

  for (
    const [what, frame, detail] of [
      ["announces more than a frame may hold", Uint8Array.of(255, 0, 0, 0, 1), "is over the limit of 4096"],
      [
        "says twice that it is ready",
        Frames.encode(Frames.Frame.Started, pack({})),
        "a frame of kind 3 has no place here"
      ],
      [
        "says nonsense about the end",
        Frames.encode(Frames.Frame.Ended, pack({ _tag: "Tired" })),
        "has not the shape of its kind"
      ],
      ["answers without a number", batch([FromWorker.Succeeded, null, 1, 1]), "has not the shape of its kind"],
      [
        "answers with what workers only say at first",
        batch([FromWorker.Refused, "no"]),
        "has not the shape of its kind"
      ]
    ] as const
  ) {
    it.effect(`a host that ${what} is disconnected`, () =>
      Effect.gen(function*() {
        const { bytes, link } = yield* started()
        bytes.host.write(frame)
        yield* bytes.settle
        const end = yield* link.ended
        assert.match(end._tag === "Disconnected" ? end.detail : "", /^host broke the protocol: /)
        assert.include(end._tag === "Disconnected" ? end.detail : "", detail)
      }))
  }
})

describe("a host that wants its workers back", () => {
  it.effect("lets the queue finish and close them", () =>
    Effect.gen(function*() {
      const { bytes, leaving, link, received, served, worker } = yield* started()
      link.post([call(1)])
      yield* bytes.settle
      yield* Deferred.succeed(leaving, undefined)
      yield* bytes.settle
      assert.deepStrictEqual(received, [[FromWorker.Resigned]])
      // What was on its way is still done.
      link.post([call(2)])
      yield* bytes.settle
      worker.post(succeeded(1), succeeded(2))
      yield* bytes.settle
      link.post([[ToWorker.Close]])
      yield* bytes.settle
      assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
      assert.strictEqual((yield* Fiber.join(served))._tag, "Ended")
      assert.strictEqual(received.length, 3)
    }))
})
