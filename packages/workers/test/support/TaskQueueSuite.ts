import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Stream } from "effect"
import type { Scope } from "effect"
import * as TaskError from "effect-workers/TaskError"
import * as TaskQueue from "effect-workers/TaskQueue"
import type { TaskQueueOptions } from "effect-workers/TaskQueueOptions"
import type { WorkerHost } from "effect-workers/WorkerHost"
import type { RpcGroup } from "effect/rpc"
import { TestClock } from "effect/testing"
import { chunkSize, Refusal, SuiteTasks } from "../modules/suiteTasks.ts"

/** A kind of workers that the contract is checked on. */
export interface Kind {
  readonly name: string
  /** Serves `suiteTasks.ts`. */
  readonly layer: Layer.Layer<WorkerHost>
  /** Whether its workers can be lost and stuck without us. */
  readonly crashes: boolean
  /** Whether bytes are moved rather than copied, or passed as they are. */
  readonly bytes: "moved" | "copied" | "shared"
  /** Whether time passes only when it is told to. */
  readonly virtual: boolean
  /** Bytes of the largest value; defaults to 20 million. */
  readonly largest?: number | undefined
}

type Queue = TaskQueue.TaskQueue<RpcGroup.Rpcs<typeof SuiteTasks>>

/** The contract of a queue, whatever its workers are. */
export const suite = (kind: Kind): void => {
  const test = (
    name: string,
    body: Effect.Effect<unknown, unknown, Scope.Scope>
  ) => (kind.virtual ? it.effect : it.live)(name, () => body as Effect.Effect<unknown, never, Scope.Scope>)

  const passes = (millis: number) => kind.virtual ? TestClock.adjust(millis) : Effect.sleep(millis)

  const queue = (options: TaskQueueOptions = {}): Effect.Effect<Queue, never, Scope.Scope> =>
    Effect.flatMap(
      Layer.build(kind.layer),
      // Other things run on this machine, too: who listens shall not be ended for being late.
      (host) => Effect.provideContext(TaskQueue.make(SuiteTasks, { max: 1, grace: "10 seconds", ...options }), host)
    )

  /** One worker that is there already. */
  const warm = (options?: TaskQueueOptions) => Effect.tap(queue(options), (self) => TaskQueue.call(self, "echo", 0))

  const begin = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

  /** What comes of it, however long that takes. */
  const outcome = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
    Effect.flatMap(begin(effect), (fiber) => {
      const drive: Effect.Effect<Exit.Exit<A, E>> = Effect.suspend(() => {
        const exit = fiber.pollUnsafe()
        return exit === undefined ? Effect.andThen(passes(10), drive) : Effect.succeed(exit)
      })
      return kind.virtual ? drive : Fiber.await(fiber)
    })

  const failure = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.map(outcome(Effect.flip(effect)), (exit) => Exit.isSuccess(exit) ? exit.value : assert.fail(String(exit)))

  const history = (self: Queue, series?: string) => TaskQueue.call(self, "history", undefined, { series })

  const until = <A, E>(effect: Effect.Effect<A, E>, holds: (value: A) => boolean): Effect.Effect<A, E> =>
    Effect.flatMap(
      effect,
      (value) => holds(value) ? Effect.succeed(value) : Effect.andThen(passes(5), until(effect, holds))
    )

  const remembers = (self: Queue, note: string) => until(history(self), (notes) => notes.includes(note))

  const note = (self: Queue, name: string, options?: Parameters<typeof TaskQueue.call>[3]) =>
    begin(TaskQueue.call(self, "note", { name }, options))

  describe(`TaskQueue on ${kind.name}`, () => {
    describe("tasks", () => {
      test(
        "give what they give",
        Effect.gen(function*() {
          const self = yield* queue()
          assert.strictEqual(yield* TaskQueue.call(self, "echo", 7), 7)
          assert.isUndefined(yield* TaskQueue.call(self, "note", { name: "a" }))
          const dates = [new Date(0), new Date(1e12)]
          assert.deepStrictEqual(yield* TaskQueue.call(self, "dates", dates), dates)
        })
      )

      test(
        "fail with their own errors, with their classes",
        Effect.gen(function*() {
          const self = yield* queue()
          const error = yield* failure(TaskQueue.call(self, "refuse", { name: "because" }))
          assert.instanceOf(error, Refusal)
          assert.strictEqual((error as Refusal).why, "because")
        })
      )

      test(
        "die with their own defects, and leave the next one alone",
        Effect.gen(function*() {
          const self = yield* warm()
          const worker = yield* TaskQueue.call(self, "workerName", undefined)
          const defect = yield* failure(
            Effect.catchDefect(TaskQueue.call(self, "die", undefined), Effect.fail)
          ) as Effect.Effect<any>
          assert.deepStrictEqual([defect.name, defect.message], ["RangeError", "out of range"])
          assert.strictEqual(yield* TaskQueue.call(self, "workerName", undefined), worker)
        })
      )

      test(
        "are refused at their caller when their payload does not fit",
        Effect.gen(function*() {
          const self = yield* queue()
          const call = TaskQueue.call(self, "note", { name: 5 } as never)
          const defect = yield* failure(Effect.catchDefect(call, Effect.fail)) as Effect.Effect<any>
          assert.strictEqual(defect.message, `the payload of note does not fit: expected string at ["name"], found 5`)
        })
      )

      test(
        "run as many at a time as the worker's concurrency",
        Effect.gen(function*() {
          const self = yield* warm({ concurrency: 3 })
          for (const name of ["a", "b"]) yield* begin(TaskQueue.call(self, "hang", { name }))
          yield* remembers(self, "a begins")
          yield* remembers(self, "b begins")
          yield* TaskQueue.cancelAll(self)
        })
      )

      test(
        "know how often they were begun, and on which worker",
        Effect.gen(function*() {
          const self = yield* queue()
          assert.strictEqual(yield* TaskQueue.call(self, "attempt", undefined), 1)
          assert.include(yield* TaskQueue.call(self, "workerName", undefined), "-1.1")
        })
      )

      test(
        "may be large",
        Effect.gen(function*() {
          const self = yield* queue()
          const { largest = 20_000_000 } = kind
          const text = "x".repeat(largest)
          assert.isTrue((yield* TaskQueue.call(self, "text", text)) === text)
          const bytes = new Uint8Array(largest).fill(3)
          const back = yield* TaskQueue.call(self, "bytes", bytes)
          assert.deepStrictEqual([back.length, back[0], back[largest - 1]], [largest, 3, 3])
          assert.strictEqual(bytes.byteLength, largest)
        })
      )

      test(
        `with bytes to move have them ${kind.bytes}`,
        Effect.gen(function*() {
          const self = yield* queue()
          const bytes = new Uint8Array(1_000_000).fill(4)
          const back = yield* TaskQueue.call(self, "move", bytes)
          assert.deepStrictEqual([back.length, back[0], back[999_999]], [1_000_000, 4, 4])
          assert.strictEqual(bytes.byteLength, kind.bytes === "moved" ? 0 : 1_000_000)
          assert.strictEqual(back === bytes, kind.bytes === "shared")
        })
      )
    })

    describe("order", () => {
      test(
        "is by niceness, and by arrival among equals",
        Effect.gen(function*() {
          const self = yield* warm()
          yield* TaskQueue.pause(self)
          const fibers = []
          for (const [name, niceness] of [["c", 0], ["a", -20], ["d", 0], ["b", -20], ["e", 20], ["f", 20]] as const) {
            fibers.push(yield* note(self, name, { niceness }))
          }
          yield* TaskQueue.resume(self)
          yield* Effect.forEach(fibers, Fiber.join)
          assert.deepStrictEqual(yield* history(self), ["a", "b", "c", "d", "e", "f"])
        })
      )

      test(
        "has those that are called next before all, and those called last after all",
        Effect.gen(function*() {
          const self = yield* warm()
          yield* TaskQueue.pause(self)
          const fibers = [
            yield* note(self, "c", { niceness: -20 }),
            yield* begin(TaskQueue.callLast(self, "note", { name: "e" }, { niceness: -20 })),
            yield* begin(TaskQueue.callNext(self, "note", { name: "a" }, { niceness: 20 })),
            yield* begin(TaskQueue.callLast(self, "note", { name: "f" })),
            yield* note(self, "d"),
            yield* begin(TaskQueue.callNext(self, "note", { name: "b" }))
          ]
          yield* TaskQueue.resume(self)
          yield* Effect.forEach(fibers, Fiber.join)
          assert.deepStrictEqual(yield* history(self), ["a", "b", "c", "d", "e", "f"])
        })
      )

      test(
        "is held up by no series that nobody serves",
        Effect.gen(function*() {
          const self = yield* queue({ series: ["red"], exclusive: true })
          const blue = yield* note(self, "blue", { series: "blue" })
          const plain = yield* note(self, "plain")
          yield* TaskQueue.call(self, "note", { name: "red" }, { series: "red" })
          assert.deepStrictEqual(yield* history(self, "red"), ["red"])
          assert.isUndefined(plain.pollUnsafe())
          yield* Effect.provideContext(
            TaskQueue.attach(self, { max: 1, series: ["blue"] }),
            yield* Layer.build(kind.layer)
          )
          yield* Fiber.join(blue)
          yield* Fiber.join(plain)
          assert.sameMembers([...(yield* history(self, "blue"))], ["blue", "plain"])
        })
      )
    })

    describe("cancelling", () => {
      test(
        "a caller that is interrupted waits until its handler's finalizers have run",
        Effect.gen(function*() {
          const self = yield* warm({ concurrency: 2 })
          const fiber = yield* begin(TaskQueue.call(self, "hang", { name: "a" }))
          yield* remembers(self, "a begins")
          yield* Fiber.interrupt(fiber)
          assert.include(yield* history(self), "a is interrupted")
        })
      )

      test(
        "a caller that is interrupted before its task begins prevents it",
        Effect.gen(function*() {
          const self = yield* warm()
          yield* TaskQueue.pause(self)
          yield* Fiber.interrupt(yield* note(self, "a"))
          yield* TaskQueue.resume(self)
          assert.deepStrictEqual(yield* history(self), [])
        })
      )

      test(
        "fails what is queued and what runs, and counts them",
        Effect.gen(function*() {
          const self = yield* warm({ concurrency: 2, prefetch: 0 })
          const running = yield* begin(Effect.flip(TaskQueue.call(self, "hang", { name: "a" })))
          yield* remembers(self, "a begins")
          yield* TaskQueue.pause(self)
          const queued = yield* begin(Effect.flip(TaskQueue.call(self, "note", { name: "b" })))
          assert.strictEqual(yield* TaskQueue.cancelAll(self), 2)
          assert.deepStrictEqual(yield* Fiber.join(running), new TaskError.TaskCancelled({ task: "hang", begun: true }))
          assert.deepStrictEqual(yield* Fiber.join(queued), new TaskError.TaskCancelled({ task: "note", begun: false }))
          yield* TaskQueue.resume(self)
          assert.deepStrictEqual(yield* history(self), ["a begins", "a is interrupted"])
        })
      )

      test(
        "one series leaves the others",
        Effect.gen(function*() {
          const self = yield* warm()
          yield* TaskQueue.pause(self)
          const red = yield* begin(Effect.flip(TaskQueue.call(self, "note", { name: "red" }, { series: "red" })))
          const blue = yield* note(self, "blue", { series: "blue" })
          assert.strictEqual(yield* TaskQueue.cancelSeries(self, "red"), 1)
          yield* TaskQueue.resume(self)
          assert.strictEqual((yield* Fiber.join(red))._tag, "TaskCancelled")
          yield* Fiber.join(blue)
          assert.deepStrictEqual(yield* history(self), ["blue"])
        })
      )
    })

    describe("time", () => {
      test(
        "that a task may run is kept to",
        Effect.gen(function*() {
          const self = yield* warm()
          const error = yield* failure(TaskQueue.call(self, "hang", { name: "a" }, { timeout: 200 }))
          assert.deepStrictEqual(error, new TaskError.TaskTimeout({ task: "hang", timeout: 200, attempts: 1 }))
          assert.deepStrictEqual(yield* history(self), ["a begins", "a is interrupted"])
        })
      )

      test(
        "that has passed is given again to what may run twice",
        Effect.gen(function*() {
          const self = yield* warm()
          const error = yield* failure(
            TaskQueue.call(self, "hang", { name: "a" }, { timeout: 200, retryable: true, attempts: 3 })
          )
          assert.deepStrictEqual(error, new TaskError.TaskTimeout({ task: "hang", timeout: 200, attempts: 3 }))
          assert.strictEqual((yield* history(self)).filter((name) => name === "a begins").length, 3)
        })
      )

      test(
        "by which a task must be done passes in the queue",
        Effect.gen(function*() {
          const self = yield* warm()
          yield* TaskQueue.pause(self)
          const error = yield* failure(TaskQueue.call(self, "note", { name: "a" }, { deadline: 50 }))
          assert.deepStrictEqual(error, new TaskError.TaskExpired({ task: "note", deadline: 50, begun: false }))
          yield* TaskQueue.resume(self)
          assert.deepStrictEqual(yield* history(self), [])
        })
      )

      test(
        "by which a task must be done passes while it runs",
        Effect.gen(function*() {
          const self = yield* warm()
          const error = yield* failure(TaskQueue.call(self, "hang", { name: "a" }, { deadline: 200 }))
          assert.deepStrictEqual(error, new TaskError.TaskExpired({ task: "hang", deadline: 200, begun: true }))
          assert.deepStrictEqual(yield* history(self), ["a begins", "a is interrupted"])
        })
      )
    })

    describe("streams", () => {
      test(
        "give all their items in order",
        Effect.gen(function*() {
          const self = yield* queue()
          const items = yield* Stream.runCollect(TaskQueue.stream(self, "count", 10_000))
          assert.deepStrictEqual(items, Array.from({ length: 10_000 }, (_, i) => i + 1))
        })
      )

      test(
        "may be empty",
        Effect.gen(function*() {
          const self = yield* queue()
          assert.deepStrictEqual(yield* Stream.runCollect(TaskQueue.stream(self, "count", 0)), [])
        })
      )

      test(
        "fail after the items that came before",
        Effect.gen(function*() {
          const self = yield* queue()
          const items: Array<number> = []
          const error = yield* failure(
            Stream.runForEach(TaskQueue.stream(self, "countThenRefuse", 40), (n) => Effect.sync(() => items.push(n)))
          )
          assert.instanceOf(error, Refusal)
          assert.strictEqual(items.length, 40)
        })
      )

      test(
        "whose reader has had enough are ended in their worker",
        Effect.gen(function*() {
          const self = yield* warm({ window: 64 })
          const items = yield* Stream.runCollect(Stream.take(TaskQueue.stream(self, "count", 1_000_000), 2))
          assert.deepStrictEqual(items, [1, 2])
          assert.include(yield* history(self), "counted")
          assert.isAtMost(yield* TaskQueue.call(self, "counted", undefined), 3 * 64 + chunkSize)
        })
      )

      test(
        "whose reader stops reading stop in their worker",
        Effect.gen(function*() {
          const self = yield* warm({ window: 64, concurrency: 2 })
          const gate = yield* Deferred.make<void>()
          let read = 0
          const reader = yield* begin(Stream.runForEach(
            TaskQueue.stream(self, "count", 100_000),
            () => ++read === 1 ? Deferred.await(gate) : Effect.void
          ))
          const counted = TaskQueue.call(self, "counted", undefined)
          yield* until(counted, (n) => n >= 64)
          yield* passes(50)
          const stopped = yield* counted
          assert.isAtMost(stopped, 2 * 64 + chunkSize)
          yield* passes(50)
          assert.strictEqual(yield* counted, stopped)
          yield* Deferred.succeed(gate, undefined)
          yield* outcome(Fiber.join(reader))
          assert.strictEqual(read, 100_000)
        })
      )
    })

    describe("updates", () => {
      test(
        "reach every worker before its next task, in order",
        Effect.gen(function*() {
          const self = yield* warm()
          const exits = yield* TaskQueue.update(self, "set", 1)
          assert.deepStrictEqual(exits, [Exit.void])
          yield* begin(TaskQueue.update(self, "set", 2))
          yield* begin(TaskQueue.update(self, "set", 3))
          assert.strictEqual(yield* TaskQueue.call(self, "get", undefined), 3)
        })
      )

      test(
        "reach workers that come later",
        Effect.gen(function*() {
          const self = yield* queue({ recycleAfter: 1 })
          assert.deepStrictEqual(yield* TaskQueue.update(self, "set", 1), [])
          assert.strictEqual(yield* TaskQueue.call(self, "get", undefined), 1)
          yield* TaskQueue.update(self, "set", 2)
          const workers = new Set<string>()
          for (let i = 0; i < 3; i++) {
            assert.strictEqual(yield* TaskQueue.call(self, "get", undefined), 2)
            workers.add(yield* TaskQueue.call(self, "workerName", undefined))
          }
          assert.strictEqual(workers.size, 3)
        })
      )

      test(
        "reach workers that serve some series only",
        Effect.gen(function*() {
          const self = yield* queue({ series: ["red"], exclusive: true })
          yield* TaskQueue.call(self, "echo", 0, { series: "red" })
          assert.deepStrictEqual(yield* TaskQueue.update(self, "set", 1), [Exit.void])
          assert.strictEqual(yield* TaskQueue.call(self, "get", undefined, { series: "red" }), 1)
          assert.deepStrictEqual(yield* TaskQueue.update(self, "set", 2, { series: "blue" }), [])
          assert.strictEqual(yield* TaskQueue.call(self, "get", undefined, { series: "red" }), 1)
        })
      )

      test(
        "say what came of them on each worker",
        Effect.gen(function*() {
          const self = yield* queue({ min: 2, max: 2 })
          yield* until(
            TaskQueue.stats(self),
            ({ workers }) => workers.filter(({ state }) => state === "ready").length === 2
          )
          const exits = yield* TaskQueue.update(self, "refuse", { name: "no" })
          assert.deepStrictEqual(exits, [Exit.fail(new Refusal({ why: "no" })), Exit.fail(new Refusal({ why: "no" }))])
        })
      )
    })

    describe("shutting down", () => {
      test(
        "finishes what was submitted, and takes nothing more",
        Effect.gen(function*() {
          const self = yield* warm()
          const fibers = [
            yield* begin(TaskQueue.call(self, "sleep", 50)),
            yield* begin(TaskQueue.call(self, "echo", 2))
          ]
          yield* outcome(TaskQueue.shutdown(self))
          assert.deepStrictEqual(fibers.map((fiber) => fiber.pollUnsafe()), [Exit.succeed(50), Exit.succeed(2)])
          assert.deepStrictEqual(
            yield* failure(TaskQueue.call(self, "echo", 3)),
            new TaskError.QueueClosed({ task: "echo", begun: false })
          )
        })
      )

      test(
        "settles what does not end in time",
        Effect.gen(function*() {
          const self = yield* warm({ prefetch: 0 })
          const hang = yield* begin(Effect.flip(TaskQueue.call(self, "hang", { name: "a" })))
          yield* passes(100)
          const queued = yield* begin(Effect.flip(TaskQueue.call(self, "echo", 2)))
          yield* outcome(TaskQueue.shutdown(self, { timeout: 100 }))
          assert.deepStrictEqual(
            [hang.pollUnsafe(), queued.pollUnsafe()],
            [
              Exit.succeed(new TaskError.QueueClosed({ task: "hang", begun: true })),
              Exit.succeed(new TaskError.QueueClosed({ task: "echo", begun: false }))
            ]
          )
        })
      )
    })

    if (kind.crashes) crashes(kind, { test, queue, warm, begin, failure, history })
  })
}

interface Means {
  readonly test: (name: string, body: Effect.Effect<unknown, unknown, Scope.Scope>) => void
  readonly queue: (options?: TaskQueueOptions) => Effect.Effect<Queue, never, Scope.Scope>
  readonly warm: (options?: TaskQueueOptions) => Effect.Effect<Queue, unknown, Scope.Scope>
  readonly begin: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<Fiber.Fiber<A, E>>
  readonly failure: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<E>
  readonly history: (self: Queue) => Effect.Effect<ReadonlyArray<string>, unknown>
}

const crashes = (_: Kind, { begin, failure, history, queue, test, warm }: Means): void => {
  describe("crashes", () => {
    test(
      "touch only the tasks of the worker that is lost",
      Effect.gen(function*() {
        const self = yield* warm({ max: 2 })
        const other = yield* begin(TaskQueue.call(self, "sleep", 500))
        const error = yield* failure(TaskQueue.call(self, "exit", 3))
        assert.strictEqual((error as TaskError.TaskError)._tag, "WorkerLost")
        assert.include((error as TaskError.WorkerLost).detail, "exited with code 3")
        assert.strictEqual(yield* Fiber.join(other), 500)
      })
    )

    test(
      "are followed by a fresh worker",
      Effect.gen(function*() {
        const self = yield* warm()
        yield* TaskQueue.call(self, "note", { name: "a" })
        yield* failure(TaskQueue.call(self, "exit", 1))
        assert.deepStrictEqual(yield* history(self), [])
      })
    )

    test(
      "of what may run twice are tried again",
      Effect.gen(function*() {
        const self = yield* queue({ restart: { backoff: 1 } })
        assert.strictEqual(yield* TaskQueue.call(self, "exitFirst", 2, { retryable: true }), 3)
      })
    )

    test(
      "of one task too often put it in quarantine",
      Effect.gen(function*() {
        const self = yield* queue({ quarantineAfter: 2, restart: { backoff: 1 } })
        const error = yield* failure(TaskQueue.call(self, "exit", 1, { retryable: true }))
        assert.strictEqual((error as TaskError.TaskQuarantined).deaths, 2)
        assert.strictEqual(yield* TaskQueue.call(self, "echo", 1), 1)
      })
    )

    test(
      "forget no update",
      Effect.gen(function*() {
        const self = yield* warm()
        yield* TaskQueue.update(self, "set", 5)
        yield* failure(TaskQueue.call(self, "exit", 1))
        assert.strictEqual(yield* TaskQueue.call(self, "get", undefined), 5)
      })
    )

    test(
      "of a streaming worker fail its stream",
      Effect.gen(function*() {
        const self = yield* warm({ concurrency: 2, window: 16 })
        const reader = yield* begin(Effect.flip(Stream.runForEach(
          TaskQueue.stream(self, "count", 1_000_000),
          () => Effect.yieldNow
        )))
        yield* failure(TaskQueue.call(self, "exit", 1))
        assert.strictEqual((yield* Fiber.join(reader) as Effect.Effect<any>)._tag, "WorkerLost")
      })
    )
  })

  describe("a task that does not listen", () => {
    test(
      "is ended with its worker when its time has passed, and the next one runs",
      Effect.gen(function*() {
        const self = yield* warm({ grace: 50 })
        const error = yield* failure(TaskQueue.call(self, "spin", undefined, { timeout: 100 }))
        assert.strictEqual((error as TaskError.TaskError)._tag, "TaskTimeout")
        assert.strictEqual(yield* TaskQueue.call(self, "echo", 1), 1)
      })
    )

    test(
      "is ended with its worker when its caller is interrupted",
      Effect.gen(function*() {
        const self = yield* warm({ grace: 50 })
        const fiber = yield* begin(TaskQueue.call(self, "spin", undefined))
        yield* Effect.sleep(50)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* TaskQueue.call(self, "echo", 1), 1)
      })
    )

    test(
      "does not hold up the end of the queue",
      Effect.gen(function*() {
        const self = yield* warm({ grace: 50 })
        const fiber = yield* begin(Effect.flip(TaskQueue.call(self, "spin", undefined)))
        yield* TaskQueue.shutdown(self, { timeout: 0 })
        assert.strictEqual((fiber.pollUnsafe() as Exit.Success<TaskError.TaskError>).value._tag, "QueueClosed")
      })
    )
  })
}
