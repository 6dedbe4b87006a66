import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Deferred,
  Effect,
  Exit,
  type Layer,
  Queue,
  Schema,
  SchemaGetter,
  Stream,
  Tracer
} from "effect"
import { Rpc, RpcGroup, RpcMiddleware, RpcSchema } from "effect/rpc"
import { TestClock } from "effect/testing"
import { Transferable } from "effect/workers"
import { CurrentTask } from "../../src/CurrentTask.ts"
import { FromWorker } from "../../src/internal/messages.ts"
import * as TaskServer from "../../src/internal/taskServer.ts"
import { begin, call, close, grant, interrupt, serving, turns, update } from "../support/serving.ts"

class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { why: Schema.String }) {}

const gates = new Map<number, Deferred.Deferred<number>>()
const gate = (n: number) => {
  const known = gates.get(n) ?? Deferred.makeUnsafe<number>()
  gates.set(n, known)
  return known
}

/** Calls begin in this order, and end when their gates are opened. */
const log: Array<string> = []
const logged = (name: string, n: number) => Effect.sync(() => log.push(`${name} ${n}`))

const N = { payload: Schema.Finite, success: Schema.Finite }

const Tasks = RpcGroup.make(
  Rpc.make("echo", N),
  Rpc.make("gated", N),
  Rpc.make("stubborn", N),
  Rpc.make("forked", N),
  Rpc.make("unforked", N),
  Rpc.make("later", N),
  Rpc.make("laterAtOnce", N),
  Rpc.make("refuse", { ...N, error: Refusal }),
  Rpc.make("dies", N),
  Rpc.make("throws", N),
  Rpc.make("lies", N),
  Rpc.make("scoped", N),
  Rpc.make("badFinalizer", N),
  Rpc.make("nothing"),
  Rpc.make("sleeps", N),
  Rpc.make("task", { success: Schema.Any }),
  Rpc.make("span", { success: Schema.Any }),
  Rpc.make("abort", { success: Schema.Any }),
  Rpc.make("range", { ...N, error: Refusal, stream: true }),
  Rpc.make("single", { ...N, stream: true }),
  Rpc.make("hundreds", { ...N, stream: true }),
  Rpc.make("paced", { ...N, stream: true }),
  Rpc.make("queued", { ...N, stream: true }),
  Rpc.make("breaks", { ...N, error: Refusal, stream: true }),
  Rpc.make("held", { ...N, stream: true }),
  Rpc.make("any", { payload: Schema.Any, success: Schema.Any }),
  Rpc.make("anys", { success: Schema.Any, stream: true }),
  Rpc.make("manyAnys", { success: Schema.Any, stream: true }),
  Rpc.make("arrays", { success: Schema.Finite, stream: true }),
  Rpc.make("bytes", { payload: Schema.Any, success: Transferable.Uint8Array }),
  Rpc.make("asynchronous", {
    success: Schema.String.pipe(Schema.decode({
      decode: SchemaGetter.passthrough<string>(),
      encode: SchemaGetter.transformEffect((text: string) => Effect.as(Effect.yieldNow, `${text}!`))
    }))
  })
)

const emitted = [1, 2]
const produced: Array<number> = []
const producing = (n: number) => Stream.range(1, n).pipe(Stream.tap((i) => Effect.sync(() => produced.push(i))))

const gated = (n: number) =>
  Effect.andThen(logged("begins", n), Deferred.await(gate(n))).pipe(
    Effect.onInterrupt(() => logged("interrupted", n))
  )

const Handlers = Tasks.toLayer({
  echo: (n) => {
    log.push(`echo ${n}`)
    return Effect.succeed(n)
  },
  gated,
  stubborn: (n) => Rpc.uninterruptible(gated(n)),
  forked: (n) => Rpc.fork(gated(n)),
  unforked: gated,
  later: (n) => Effect.as(Effect.yieldNow, gate(n)),
  laterAtOnce: (n) => Effect.succeed(gate(n)),
  refuse: () => Effect.fail(new Refusal({ why: "no" })),
  dies: () => Effect.die(new RangeError("too far")),
  throws: () => {
    throw new RangeError("thrown")
  },
  lies: () => Effect.succeed("not a number" as unknown as number),
  scoped: (n) =>
    Effect.acquireRelease(logged("acquires", n), () => Effect.andThen(Effect.yieldNow, logged("releases", n))).pipe(
      Effect.andThen(gated(n))
    ) as Effect.Effect<number>,
  badFinalizer: (n) =>
    Effect.as(Effect.acquireRelease(Effect.void, () => Effect.die("finalizer")), n) as Effect.Effect<number>,
  nothing: () => Effect.void,
  sleeps: (n) => Effect.as(Effect.sleep(n), n),
  task: () => Effect.map(Effect.andThen(Effect.yieldNow, CurrentTask), (task) => ({ ...task, resign: undefined })),
  span: () =>
    Effect.map(Effect.currentSpan, (span) => ({
      name: span.name,
      kind: span.kind,
      trace: span.traceId,
      parent: span.parent._tag === "Some" ? span.parent.value.spanId : undefined,
      attributes: Object.fromEntries(span.attributes)
    })).pipe(Effect.orElseSucceed(() => "none")),
  abort: () =>
    Effect.never.pipe(Effect.onExit((exit) =>
      Effect.sync(() => {
        const annotations = Exit.isFailure(exit) ? exit.cause.reasons.map(Cause.reasonAnnotations) : []
        log.push(
          `abort ${annotations.some((found) => Context.getOption(found, RpcSchema.ClientAbort)._tag === "Some")}`
        )
      })
    )),
  range: (n) => producing(n),
  single: (n) => Stream.rechunk(producing(n), 1),
  hundreds: (n) => Stream.rechunk(Stream.range(1, n), 100),
  paced: (n) => Stream.range(1, n).pipe(Stream.rechunk(1), Stream.tap(() => Effect.sleep(10))),
  queued: Effect.fnUntraced(function*(n) {
    const queue = yield* Queue.make<number, Cause.Done>()
    yield* Queue.offerAll(queue, Array.from({ length: n }, (_, i) => i))
    yield* Queue.end(queue)
    return queue
  }),
  breaks: (n) => Stream.concat(Stream.range(1, n), Stream.fail(new Refusal({ why: "enough" }))),
  held: (n) => Stream.range(1, n).pipe(Stream.ensuring(Effect.andThen(Effect.yieldNow, logged("finalizer", n)))),
  any: (value) => Effect.succeed(value),
  anys: () => Stream.make(1, () => 2, 3).pipe(Stream.rechunk(1)),
  manyAnys: () => Stream.map(Stream.range(1, 100_000, 300), (n) => () => n),
  arrays: () => Stream.concat(Stream.fromArray(emitted), Stream.make(3)),
  bytes: (bytes) => Effect.succeed(bytes),
  asynchronous: () => Effect.succeed("done")
})

const served = (options?: Partial<TaskServer.TaskServerOptions>) =>
  Effect.suspend(() => {
    log.length = 0
    produced.length = 0
    gates.clear()
    // A finalizer's Scope and what `Any` may need are unknown to the types, and none here needs anything.
    return serving(Tasks, Handlers as Layer.Layer<Layer.Success<typeof Handlers>>, options)
  })

const messageOf = (answer: unknown) => (answer as { readonly error: Error }).error.message

const uncloneable = () => {
  const error = new Error("() => 2 could not be cloned.")
  error.name = "DataCloneError"
  return error
}

/** Posts as structured cloning does. */
const cloning = (batch: ReadonlyArray<unknown>, transfers?: ReadonlyArray<object>) => {
  structuredClone(batch, { transfer: (transfers ?? []) as Array<ArrayBuffer> })
}

describe("taskServer", () => {
  describe("calls", () => {
    it.effect("that compute without pause are answered meanwhile", () =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        let nanos = 0n
        const ticking = { ...clock, monotonicTimeNanosUnsafe: () => nanos += 1_000_000n }
        const { answered, posts, receive } = yield* Effect.provideService(served(), Clock.Clock, ticking)
        receive(...Array.from({ length: 20 }, (_, id) => call(id, "echo", id)))
        assert.strictEqual(answered().length, 20)
        assert.isAtLeast(posts.length, 4)
      }))

    it.effect("that are finished at once are answered in one post, in order, before receive returns", () =>
      Effect.gen(function*() {
        const { answers, posts, receive } = yield* served()
        receive(begin(1), call(1, "echo", 10), call(2, "nothing"), call(3, "echo", 30))
        assert.deepStrictEqual(answers(), [{ id: 1, value: 10 }, { id: 2, value: undefined }, { id: 3, value: 30 }])
        assert.strictEqual(posts.length, 1)
      }))

    it.effect("that wait are answered together at the end of the turn in which they end", () =>
      Effect.gen(function*() {
        const { answers, posts, receive } = yield* served()
        receive(begin(3), call(1, "gated", 1), call(2, "gated", 2), call(3, "gated", 3))
        assert.strictEqual(posts.length, 0)
        for (const n of [2, 1, 3]) Deferred.doneUnsafe(gate(n), Exit.succeed(n))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 2, value: 2 }, { id: 1, value: 1 }, { id: 3, value: 3 }])
        assert.strictEqual(posts.length, 1)
      }))

    it.effect("begin in the order in which they came, so many at a time", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(begin(2), call(1, "gated", 1), call(2, "gated", 2), call(3, "gated", 3))
        receive(call(4, "echo", 4))
        assert.deepStrictEqual(log, ["begins 1", "begins 2"])
        yield* Deferred.succeed(gate(2), 2)
        yield* turns
        assert.deepStrictEqual(log, ["begins 1", "begins 2", "begins 3"])
        yield* Deferred.succeed(gate(3), 3)
        yield* turns
        assert.deepStrictEqual(log, ["begins 1", "begins 2", "begins 3", "echo 4"])
        assert.deepStrictEqual(answered(), [2, 3, 4])
      }))

    it.effect("that end at once do not starve the platform", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(...Array.from({ length: 1000 }, (_, id) => call(id, "echo", id)))
        assert.strictEqual(answered().length, 256)
        receive(interrupt(999))
        assert.strictEqual(answered().length, 257)
        yield* turns
        assert.strictEqual(answered().length, 1000)
        assert.strictEqual(new Set(answered()).size, 1000)
        assert.notInclude(log, "echo 999")
      }))

    it.effect("that a handler forks hold no place", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(begin(1), call(1, "forked", 1), call(2, "gated", 2), call(3, "gated", 3))
        assert.deepStrictEqual(log, ["begins 1", "begins 2"])
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual([log.length, answered()], [2, [1]])
      }))

    it.effect("that give a deferred result wait for it without holding a place", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(begin(1), call(1, "later", 1), call(2, "laterAtOnce", 2), call(3, "echo", 3))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 3, value: 3 }])
        yield* Deferred.succeed(gate(1), 1)
        yield* Deferred.succeed(gate(2), 2)
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 3, value: 3 }, { id: 1, value: 1 }, { id: 2, value: 2 }])
      }))

    it.effect("say how long they ran", () =>
      Effect.gen(function*() {
        const { messages, receive } = yield* served()
        receive(begin(1), call(1, "sleeps", 250), call(2, "sleeps", 50))
        yield* TestClock.adjust(300)
        yield* turns
        assert.deepStrictEqual(messages().map((message) => message[2]), [250, 50])
      }))

    it.effect("with values whose encoding waits are answered all the same", () =>
      Effect.gen(function*() {
        const { messages, receive } = yield* served()
        receive(call(1, "asynchronous"))
        yield* turns
        assert.deepStrictEqual(messages().map((message) => message[3]), ["done!"])
      }))

    it.effect("know which task they are of", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(begin(1), call(7, "task", undefined, { attempt: 3 }))
        yield* turns
        assert.deepStrictEqual(answers(), [
          { id: 7, value: { id: 7, tag: "task", attempt: 3, worker: "worker-1", resign: undefined } }
        ])
        assert.isUndefined(yield* CurrentTask)
      }))
  })

  describe("failures", () => {
    it.effect("are the task's own, and touch no other", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(
          begin(1),
          call(1, "refuse", 1),
          call(2, "dies", 2),
          call(3, "throws", 3),
          call(4, "lies", 4),
          call(5, "echo", "five"),
          call(6, "badFinalizer", 6),
          call(7, "unheardOf", 7),
          call(8, "echo", 8)
        )
        yield* turns
        const [refused, died, thrown, lied, , finalizer, unknown, echoed] = answers()
        assert.deepStrictEqual(refused, { id: 1, error: new Refusal({ why: "no" }) })
        assert.strictEqual(messageOf(died), "too far")
        assert.strictEqual(messageOf(thrown), "thrown")
        assert.strictEqual(messageOf(lied), `what lies gave does not fit: expected number, found "not a number"`)
        assert.deepStrictEqual(finalizer, { id: 6, error: "finalizer" })
        assert.include(messageOf(unknown), "there is no task unheardOf")
        assert.deepStrictEqual(echoed, { id: 8, value: 8 })
      }))

    it.effect("of a payload that cannot be decoded do not reach the handler", () =>
      Effect.gen(function*() {
        const Dated = RpcGroup.make(Rpc.make("dated", { payload: Schema.Date }))
        const { answers, receive } = yield* serving(
          Dated,
          Dated.toLayer({ dated: () => Effect.asVoid(logged("ran", 1)) })
        )
        log.length = 0
        receive(call(1, "dated", "yesterday"))
        yield* turns
        assert.include(messageOf(answers()[0]), "the payload of dated does not fit")
        assert.deepStrictEqual(log, [])
      }))

    it.effect("of a handler that is missing say so", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* serving(
          Tasks.omit("nothing").add(Rpc.make("orphan")),
          Handlers as Layer.Layer<any>
        )
        receive(call(1, "orphan"))
        yield* turns
        assert.include(messageOf(answers()[0]), "there is no handler of orphan")
      }))

    it.effect("of a group with middleware come before the first task", () =>
      Effect.gen(function*() {
        class Gate extends RpcMiddleware.Service<Gate>()("Gate") {}
        const Gated = RpcGroup.make(Rpc.make("gated").middleware(Gate))
        const exit = yield* Effect.exit(
          TaskServer.make(Gated as unknown as RpcGroup.RpcGroup<never>, {
            post: () => {},
            onClose: () => {},
            shares: false
          })
        )
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "gated has middleware")
      }))
  })

  describe("interruption", () => {
    it.effect("of a queued call answers it without running it, and its place in line is nobody's", () =>
      Effect.gen(function*() {
        const { answers, messages, receive } = yield* served()
        receive(begin(1), call(1, "gated", 1), call(2, "gated", 2), call(3, "gated", 3))
        yield* TestClock.adjust(100)
        receive(interrupt(2))
        assert.deepStrictEqual(answers(), [{ id: 2, interrupted: true }])
        assert.strictEqual(messages()[0]![2], 0)
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual(log, ["begins 1", "begins 3"])
      }))

    it.effect("that comes in one batch with the call prevents it", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(begin(1), call(1, "echo", 1), interrupt(1))
        assert.deepStrictEqual([answers(), log], [[{ id: 1, interrupted: true }], []])
      }))

    it.effect("of a running call runs its finalizers before it is answered", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(begin(1), call(1, "scoped", 1), call(2, "gated", 2))
        receive(interrupt(1))
        assert.deepStrictEqual(answers(), [])
        yield* turns
        assert.deepStrictEqual(log, ["acquires 1", "begins 1", "interrupted 1", "releases 1", "begins 2"])
        assert.deepStrictEqual(answers(), [{ id: 1, interrupted: true }])
      }))

    it.effect("tells handlers that it was the caller", () =>
      Effect.gen(function*() {
        const { receive } = yield* served()
        receive(call(1, "abort"))
        receive(interrupt(1))
        yield* turns
        assert.deepStrictEqual(log, ["abort true"])
      }))

    it.effect("waits for what must not be interrupted", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(call(1, "stubborn", 1))
        receive(interrupt(1))
        yield* turns
        assert.deepStrictEqual(answers(), [])
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 1, value: 1 }])
      }))

    it.effect("ends the wait for a deferred result", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(call(1, "laterAtOnce", 1))
        receive(interrupt(1))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 1, interrupted: true }])
      }))

    it.effect("of what has been answered, or never was called, is nothing", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(call(1, "echo", 1))
        receive(interrupt(1), interrupt(99), grant(98, 5))
        yield* turns
        assert.deepStrictEqual(answered(), [1])
      }))
  })

  describe("updates", () => {
    it.effect("begin when what came before has begun, and hold up what comes after until they end", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(
          begin(3),
          call(1, "gated", 1),
          update(2, "gated", 2),
          call(3, "echo", 3),
          update(4, "gated", 4),
          call(5, "echo", 5)
        )
        assert.deepStrictEqual(log, ["begins 1", "begins 2"])
        yield* Deferred.succeed(gate(2), 2)
        yield* turns
        assert.deepStrictEqual(log, ["begins 1", "begins 2", "echo 3", "begins 4"])
        yield* Deferred.succeed(gate(4), 4)
        yield* turns
        assert.deepStrictEqual(answered(), [2, 3, 4, 5])
      }))

    it.effect("wait for their turn where one task runs at a time", () =>
      Effect.gen(function*() {
        const { receive } = yield* served()
        receive(begin(1), call(1, "gated", 1), update(2, "echo", 2), call(3, "echo", 3))
        assert.deepStrictEqual(log, ["begins 1"])
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual(log, ["begins 1", "echo 2", "echo 3"])
      }))

    it.effect("hold up what comes after even when they are forked, or fail", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(begin(2), update(1, "forked", 1), call(2, "echo", 2))
        assert.deepStrictEqual(log, ["begins 1"])
        yield* Deferred.die(gate(1), "broken")
        yield* turns
        assert.deepStrictEqual(answered(), [1, 2])
      }))

    it.effect("that are interrupted in the line hold up nothing", () =>
      Effect.gen(function*() {
        const { answered, receive } = yield* served()
        receive(begin(1), call(1, "gated", 1), update(2, "gated", 2), call(3, "echo", 3))
        receive(interrupt(2))
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual(answered(), [2, 1, 3])
      }))

    it.effect("that stream run to their end, and emit nothing", () =>
      Effect.gen(function*() {
        const { answers, messages, receive } = yield* served()
        receive(begin(1), update(1, "range", 5))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 1, value: undefined }])
        assert.deepStrictEqual([produced, messages().length], [[1, 2, 3, 4, 5], 1])
      }))
  })

  describe("streams", () => {
    it.effect("emit what they have in few chunks, and then end", () =>
      Effect.gen(function*() {
        for (const tag of ["range", "single"]) {
          const { chunks, messages, receive } = yield* served()
          receive(call(1, tag, 100, { window: 1000 }))
          yield* turns
          assert.deepStrictEqual(chunks(1), [Array.from({ length: 100 }, (_, i) => i + 1)])
          assert.strictEqual(messages()[1]![0], FromWorker.Succeeded)
        }
      }))

    it.effect("emit as many items as they were granted, and stop pulling", () =>
      Effect.gen(function*() {
        const { answers, chunks, receive } = yield* served()
        receive(call(1, "single", 100, { window: 10 }))
        yield* turns
        assert.deepStrictEqual([chunks(1).flat().length, produced.length], [10, 10])
        receive(grant(1, 5))
        yield* turns
        assert.deepStrictEqual([chunks(1).flat().length, produced.length], [15, 15])
        receive(grant(1, 100))
        yield* turns
        assert.deepStrictEqual(chunks(1).flat(), Array.from({ length: 100 }, (_, i) => i + 1))
        assert.deepStrictEqual(answers(), [{ id: 1, value: undefined }])
      }))

    it.effect("emit a chunk that is larger than the window in parts", () =>
      Effect.gen(function*() {
        const { answers, chunks, receive } = yield* served()
        receive(call(1, "range", 7, { window: 3 }))
        yield* turns
        assert.deepStrictEqual(chunks(1), [[1, 2, 3]])
        receive(grant(1, 3))
        yield* turns
        receive(grant(1, 3))
        yield* turns
        assert.deepStrictEqual([chunks(1), answers().length], [[[1, 2, 3], [4, 5, 6], [7]], 1])
      }))

    it.effect("do not wait to be full when their source pauses", () =>
      Effect.gen(function*() {
        const { chunks, receive } = yield* served()
        receive(call(1, "paced", 3, { window: 100 }))
        for (const emitted of [[], [[1]], [[1], [2]], [[1], [2], [3]]]) {
          assert.deepStrictEqual(chunks(1), emitted)
          yield* TestClock.adjust(10)
          yield* turns
        }
      }))

    it.effect("are posted while they run when they are many", () =>
      Effect.gen(function*() {
        const { chunks, receive } = yield* served()
        receive(call(1, "hundreds", 700, { window: 1000 }))
        yield* turns
        assert.deepStrictEqual(chunks(1).map((chunk) => chunk.length), [300, 300, 100])
      }))

    it.effect("leave alone what the handler emits", () =>
      Effect.gen(function*() {
        const { chunks, receive } = yield* served({ shares: true })
        receive(call(1, "arrays", undefined, { window: 10 }))
        yield* turns
        assert.deepStrictEqual([chunks(1), emitted], [[[1, 2, 3]], [1, 2]])
      }))

    it.effect("may be queues", () =>
      Effect.gen(function*() {
        const { answers, chunks, receive } = yield* served()
        receive(call(1, "queued", 5, { window: 3 }))
        yield* turns
        receive(grant(1, 3))
        yield* turns
        assert.deepStrictEqual(chunks(1).flat(), [0, 1, 2, 3, 4])
        assert.deepStrictEqual(answers(), [{ id: 1, value: undefined }])
      }))

    it.effect("fail after what they have emitted", () =>
      Effect.gen(function*() {
        const { answers, messages, receive } = yield* served()
        receive(call(1, "breaks", 3, { window: 10 }))
        yield* turns
        assert.deepStrictEqual(messages().map((message) => message[0]), [FromWorker.Chunk, FromWorker.Failed])
        assert.deepStrictEqual(answers(), [{ id: 1, error: new Refusal({ why: "enough" }) }])
      }))

    it.effect("that are interrupted while they wait for credit run their finalizers first", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(call(1, "held", 9, { window: 2 }))
        yield* turns
        receive(interrupt(1))
        yield* turns
        assert.deepStrictEqual([log, answers()], [["finalizer 9"], [{ id: 1, interrupted: true }]])
        receive(grant(1, 5))
        yield* turns
        assert.strictEqual(answers().length, 1)
      }))
  })

  describe("closing", () => {
    it.effect("answers what is queued, finishes what runs, and then tells once", () =>
      Effect.gen(function*() {
        const { answers, closes, receive } = yield* served()
        receive(begin(1), call(1, "gated", 1), call(2, "gated", 2), update(3, "gated", 3))
        receive(close)
        receive(call(4, "echo", 4), close)
        assert.deepStrictEqual(answers(), [2, 3, 4].map((id) => ({ id, interrupted: true })))
        assert.strictEqual(closes(), 0)
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.deepStrictEqual([answers()[3], closes()], [{ id: 1, value: 1 }, 1])
      }))

    it.effect("tells at once when nothing runs", () =>
      Effect.gen(function*() {
        const { closes, receive } = yield* served()
        receive(close)
        assert.strictEqual(closes(), 1)
      }))

    it.effect("has posted the last answer before it tells", () =>
      Effect.gen(function*() {
        let postedBefore = false
        const harness = yield* served({ onClose: () => postedBefore = harness.answered().length === 1 })
        harness.receive(call(1, "gated", 1), close)
        harness.receive(close)
        yield* Deferred.succeed(gate(1), 1)
        yield* turns
        assert.isTrue(postedBefore)
      }))

    it.effect("by force interrupts what runs and waits for it", () =>
      Effect.gen(function*() {
        const { answers, closes, receive, server } = yield* served()
        receive(begin(1), call(1, "scoped", 1), call(2, "gated", 2))
        yield* server.close
        assert.deepStrictEqual(log, ["acquires 1", "begins 1", "interrupted 1", "releases 1"])
        assert.deepStrictEqual(answers(), [{ id: 2, interrupted: true }, { id: 1, interrupted: true }])
        assert.strictEqual(closes(), 0)
        yield* server.close
      }))
  })

  describe("what cannot be cloned", () => {
    it.effect("is answered as a defect, and the others are posted", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served({ post: cloning })
        receive(begin(1), call(1, "echo", 1), call(2, "any", () => 2), call(3, "echo", 3))
        const [first, second, third] = answers()
        assert.deepStrictEqual([first, third], [{ id: 1, value: 1 }, { id: 3, value: 3 }])
        assert.include(messageOf(second), "what it gave cannot be posted: ")
        assert.include(messageOf(second), "could not be cloned")
      }))

    it.effect("ends the stream it is an item of, whether that has ended by itself or not", () =>
      Effect.gen(function*() {
        for (const window of [2, 100]) {
          const { answers, chunks, receive } = yield* served({ post: cloning })
          receive(call(1, "anys", undefined, { window }), call(2, "echo", 2))
          yield* turns
          assert.deepStrictEqual(chunks(1).flat(), [])
          assert.deepStrictEqual(answers().map(({ id }) => id).sort(), [1, 2])
          assert.include(messageOf(answers().find(({ id }) => id === 1)), "cannot be posted")
        }
      }))

    it.effect("ends the stream it is an item of, even while that runs for the first time", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served({ post: cloning })
        receive(call(1, "manyAnys", undefined, { window: 300 }))
        yield* turns
        assert.include(messageOf(answers()[0]), "cannot be posted")
      }))

    it.effect("is copied when it is only that it cannot be moved", () =>
      Effect.gen(function*() {
        const bytes = new Uint8Array([1, 2])
        const { answers, receive } = yield* served({
          post: (_, transfers) => {
            if (transfers !== undefined) throw uncloneable()
          }
        })
        receive(call(1, "bytes", bytes))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 1, value: bytes }])
      }))

    it.effect("is no excuse for other errors of a post", () =>
      Effect.gen(function*() {
        const { receive } = yield* served({
          post: () => {
            throw new RangeError("a bug")
          }
        })
        assert.throws(() => receive(call(1, "echo", 1)), "a bug")
      }))
  })

  it.effect("moves what can be moved, once", () =>
    Effect.gen(function*() {
      const bytes = new Uint8Array([1, 2])
      const { posts, receive } = yield* served()
      receive(begin(2), call(1, "bytes", bytes), call(2, "bytes", bytes))
      yield* turns
      assert.deepStrictEqual(posts.map(({ transfers }) => transfers), [[bytes.buffer]])
    }))

  it.effect("tells what memory it holds, at most four times a second", () =>
    Effect.gen(function*() {
      let asked = 0
      const { messages, receive } = yield* served({ memory: () => ++asked })
      for (let id = 0; id < 100; id++) {
        receive(call(id, "echo", id))
        yield* TestClock.adjust(10)
      }
      assert.deepStrictEqual(
        messages().filter(([kind]) => kind === FromWorker.Memory),
        [1, 2, 3, 4].map((n) => [FromWorker.Memory, n] as const)
      )
    }))

  it.effect("passes values as they are when they are shared", () =>
    Effect.gen(function*() {
      const value = { f: () => 1 }
      const { answers, receive } = yield* served({ shares: true })
      receive(call(1, "any", value))
      assert.strictEqual((answers()[0] as any).value, value)
    }))

  describe("tracing", () => {
    it.effect("runs a handler in a span of its caller's", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* served()
        receive(begin(1), call(1, "span", undefined, { trace: ["t1", "s1", true], attempt: 2 }))
        yield* turns
        assert.deepStrictEqual(answers(), [{
          id: 1,
          value: {
            name: "task span",
            kind: "server",
            trace: "t1",
            parent: "s1",
            attributes: { "task.id": 1, "task.attempt": 2, "worker.name": "worker-1" }
          }
        }])
      }))

    it.effect("runs a handler in no span when there is no caller's, whatever the worker was started in", () =>
      Effect.gen(function*() {
        const { answers, receive } = yield* Effect.withSpan(served(), "starting")
        receive(call(1, "span"))
        yield* turns
        assert.deepStrictEqual(answers(), [{ id: 1, value: "none" }])
      }).pipe(Effect.provideService(Tracer.ParentSpan, Tracer.externalSpan({ traceId: "a", spanId: "b" }))))
  })
})
