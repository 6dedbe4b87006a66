import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Layer, Queue, Schedule, Scope } from "effect"
import { WorkerHost } from "effect-workers"
import { FromWorker, type FromWorkerMessage, ToWorker } from "../../src/internal/messages.ts"

/** Workers that run the sources, whatever runs the tests. */
export const execArgv = ["--conditions=conveyor-source"]

export const moduleUrl = (name: string): URL => new URL(`../modules/${name}.ts`, import.meta.url)

/** A worker, and what it has posted. */
export interface Started {
  readonly link: WorkerHost.WorkerLink
  readonly received: ReadonlyArray<FromWorkerMessage>
  /** Posts a call and does not wait. */
  readonly tell: (tag: string, payload?: unknown, transfers?: ReadonlyArray<object>) => void
  /** Takes the value of the next answer, whichever call it belongs to. */
  readonly value: Effect.Effect<any>
  /** Ends the Scope of the worker. */
  readonly close: Effect.Effect<void>
}

export const start = (host: Layer.Layer<WorkerHost.WorkerHost>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const received: Array<FromWorkerMessage> = []
    const queue = yield* Queue.unbounded<FromWorkerMessage>()
    const { start } = yield* Effect.provide(WorkerHost.WorkerHost, host)
    const receive = (batch: ReadonlyArray<FromWorkerMessage>) => {
      received.push(...batch)
      Queue.offerAllUnsafe(queue, batch.filter(([kind]) => kind !== FromWorker.Memory))
    }
    const link = yield* Scope.provide(start({ name: "worker-1", encoded: true, receive }), scope)
    let id = 0
    const started: Started = {
      link,
      received,
      tell: (tag, payload, transfers) => link.post([[ToWorker.Call, ++id, tag, payload, 1, 0, undefined]], transfers),
      value: Effect.map(Queue.take(queue), (message) => message[3]),
      close: Scope.close(scope, Exit.void)
    }
    return started
  })

/** Starts a puppet that does not become ready, and gives why. */
export const refusal = (host: Layer.Layer<WorkerHost.WorkerHost>) => Effect.scoped(Effect.flip(start(host)))

interface LinkOptions {
  readonly execArgv: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly maxHeapBytes?: number
  readonly startTimeout?: string
  readonly stderr?: "ignore"
}

type LayerEntry = (entry: URL, options: any) => Layer.Layer<WorkerHost.WorkerHost>

/** What links to threads and to processes have in common. */
export const links = (layerEntry: LayerEntry): void => {
  const puppet = (options?: Partial<LinkOptions>) => layerEntry(moduleUrl("puppet"), { execArgv, ...options })

  const starting = (how: string, options?: Partial<LinkOptions>) =>
    puppet({ env: { ...process.env as Record<string, string>, PUPPET: how }, stderr: "ignore", ...options })

  it.live("delivers what was posted before the end, and nothing after", () =>
    Effect.gen(function*() {
      const { link, received, tell } = yield* start(puppet())
      tell("burst", 100)
      // Meanwhile it is gone, and nothing of what it posted has been read.
      yield* Effect.yieldNow
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      assert.strictEqual(received.length, 0)
      assert.deepStrictEqual(yield* link.ended, { _tag: "Exited", code: 9, detail: "" })
      assert.deepStrictEqual(received.map((message) => message[3]), Array.from({ length: 100 }, (_, i) => i))
      tell("echo", "nobody is there any more")
      yield* Effect.sleep("50 millis")
      assert.strictEqual(received.length, 100)
    }))

  it.live("delivers a long answer before it closes", () =>
    Effect.gen(function*() {
      const { link, received } = yield* start(puppet())
      const bytes = new Uint8Array(20_000_000)
      link.post([[ToWorker.Call, 1, "echo", bytes, 1, 0, undefined], [ToWorker.Close]])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
      assert.lengthOf(received, 1)
    }))

  it.live("tells an exit nobody asked for from closing", () =>
    Effect.gen(function*() {
      const { link, tell } = yield* start(puppet())
      tell("exit", 0)
      assert.deepStrictEqual(yield* link.ended, { _tag: "Exited", code: 0, detail: "" })
    }))

  it.live("tells a failure after it was asked to close from closing", () =>
    Effect.gen(function*() {
      const { link } = yield* start(puppet())
      link.post([[ToWorker.Call, 1, "exit", 4, 1, 0, undefined], [ToWorker.Close]])
      assert.deepStrictEqual(yield* link.ended, { _tag: "Exited", code: 4, detail: "" })
    }))

  for (
    const [what, tag, text] of [
      ["an error nobody catches", "throw", /^Error: of this\n {4}at .*puppet\.ts/],
      ["what is thrown and is no error", "throwString", /^of this$/],
      ["a rejection nobody handles", "reject", /^TypeError: of this\n {4}at .*puppet\.ts/]
    ] as const
  ) {
    it.live(`ends with code 1 and the text of ${what}`, () =>
      Effect.gen(function*() {
        const { link, tell } = yield* start(puppet({ stderr: "ignore" }))
        tell(tag, "of this")
        const end = yield* link.ended
        assert.strictEqual(end._tag === "Exited" && end.code, 1)
        assert.match(end._tag === "Exited" ? end.detail : "", text)
      }))
  }

  it.live("ends out of memory when its heap is exhausted", () =>
    Effect.gen(function*() {
      const { link, tell } = yield* start(puppet({ maxHeapBytes: 32 * 1024 * 1024, stderr: "ignore" }))
      tell("exhaust")
      const end = yield* link.ended
      assert.strictEqual(end._tag, "OutOfMemory")
      assert.match(end._tag === "OutOfMemory" ? end.detail : "", /memory/)
    }))

  for (const [verb, signal] of [["terminate", "SIGTERM"], ["kill", "SIGKILL"]] as const) {
    it.live(`ends one that is stuck in a loop by ${verb}`, () =>
      Effect.gen(function*() {
        const { link, tell } = yield* start(puppet())
        tell("spin")
        yield* Effect.sleep("20 millis")
        yield* link[verb]
        assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal })
        // What is gone already is left alone.
        yield* link.terminate
        yield* link.kill
      }))
  }

  it.live("waits until one that is stuck is gone, when its Scope closes", () =>
    Effect.gen(function*() {
      const before = resources()
      const { close, link, tell } = yield* start(puppet())
      assert.notDeepEqual(resources(), before)
      tell("spin")
      yield* close
      assert.deepStrictEqual(yield* link.ended, { _tag: "Signalled", signal: "SIGKILL" })
      yield* awaitResources(before)
    }))

  it.live("kills what it had begun when a start is interrupted", () =>
    Effect.gen(function*() {
      const before = resources()
      // The Scope stays open.
      const fiber = yield* Effect.forkChild(start(starting("spin")))
      yield* Effect.sleep("300 millis")
      assert.notDeepEqual(resources(), before)
      yield* Fiber.interrupt(fiber)
      yield* awaitResources(before)
    }))

  it.live("refuses what cannot be cloned, on both sides, with nothing posted", () =>
    Effect.gen(function*() {
      const { received, tell, value } = yield* start(puppet())
      assert.throws(() => tell("echo", () => {}), DOMException, "could not be cloned")
      tell("uncloneable")
      assert.strictEqual(yield* value, "DataCloneError")
      assert.strictEqual(received.length, 1)
    }))

  it.live("carries 100 MB in both directions", () =>
    Effect.gen(function*() {
      const { tell, value } = yield* start(puppet())
      const bytes = new Uint8Array(100_000_000)
      for (let i = 0; i < bytes.length; i += 4099) bytes[i] = i
      tell("echo", bytes)
      const echoed: Uint8Array = yield* value
      assert.strictEqual(Buffer.compare(echoed, bytes), 0)
    }))

  it.live("keeps the order of batches", () =>
    Effect.gen(function*() {
      const { link, tell, value } = yield* start(puppet())
      const numbers = Array.from({ length: 300 }, (_, i) => i)
      for (const i of numbers) {
        if (i % 3 === 0) link.post(numbers.slice(i, i + 3).map((i) => [ToWorker.Call, i, "echo", i, 1, 0, undefined]))
      }
      tell("echo", "last")
      for (const i of numbers) assert.strictEqual(yield* value, i)
      assert.strictEqual(yield* value, "last")
    }))

  for (
    const [how, reason, detail] of [
      ["hang", "Exited", /^it was not ready within 1s, and was killed$/],
      ["spin", "Exited", /^it was not ready within 1s, and was killed$/],
      ["exit", "Exited", /^it ended with code 3 before it was ready$/],
      ["throw", "Exited", /^it ended with code 1 before it was ready: Error: while starting\n {4}at /],
      ["refuse", "Refused", /^it does not want to$/]
    ] as const
  ) {
    it.live(`does not start one that begins with ${how}`, () =>
      Effect.gen(function*() {
        const before = resources()
        const error = yield* refusal(
          starting(how, how === "hang" || how === "spin" ? { startTimeout: "1 second" } : {})
        )
        assert.strictEqual(error._tag, "WorkerStartError")
        assert.strictEqual(error.reason, reason)
        assert.match(error.detail, detail)
        assert.match(error.worker, /^worker-1 \((?:thread|process) of file:.*puppet\.ts\)$/)
        yield* awaitResources(before)
      }))
  }

  it.live("does not start one that needs more memory to start than it may use", () =>
    Effect.gen(function*() {
      const error = yield* refusal(starting("exhaust", { maxHeapBytes: 32 * 1024 * 1024 }))
      assert.strictEqual(error.reason, "Exited")
      assert.match(error.detail, /^it ran out of memory before it was ready: /)
    }))
}

/** What keeps this process alive, without timers. */
export const resources = () =>
  process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate")

/** Waits until nothing is left but what was there before: what has ended is closed a moment later. */
export const awaitResources = (before: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const more = resources()
    for (const name of before) if (more.includes(name)) more.splice(more.indexOf(name), 1)
    return more.length === 0 ? Effect.void : Effect.fail(`left: ${more.join()}`)
  }).pipe(Effect.retry({ times: 20, schedule: Schedule.spaced("25 millis") }))
