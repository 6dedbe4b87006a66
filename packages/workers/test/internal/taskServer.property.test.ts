import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random, Schema, Stream } from "effect"
import { Simulation } from "effect-simulation"
import { Rpc, RpcGroup } from "effect/rpc"
import { FromWorker, type ToWorkerMessage } from "../../src/internal/messages.ts"
import { begin, call, close, grant, interrupt, serving, update } from "../support/serving.ts"

const Payload = { id: Schema.Finite, millis: Schema.Finite }

class Tasks extends RpcGroup.make(
  Rpc.make("quick", { payload: Payload, success: Schema.Finite }),
  Rpc.make("slow", { payload: Payload, success: Schema.Finite }),
  Rpc.make("items", { payload: Payload, success: Schema.Finite, stream: true })
) {}

type Event = readonly ["begins" | "ends", number]

/** What the handlers saw, in that order. */
const watching = () => {
  const events: Array<Event> = []
  /** The handlers that were called: their fibers may begin in another order. */
  const called: Array<number> = []
  const produced = new Map<number, number>()
  const scoped = (id: number) =>
    Effect.acquireRelease(
      Effect.sync(() => void events.push(["begins", id])),
      () => Effect.sync(() => void events.push(["ends", id]))
    )
  const layer = Tasks.toLayer({
    quick: ({ id }) => {
      called.push(id)
      events.push(["begins", id], ["ends", id])
      return Effect.succeed(id)
    },
    slow: ({ id, millis }) => {
      called.push(id)
      return Effect.as(Effect.scoped(Effect.andThen(scoped(id), Effect.sleep(millis))), id)
    },
    items: ({ id, millis }) => {
      called.push(id)
      return Stream.unwrap(Effect.as(
        scoped(id),
        Stream.range(1, 30, 1 + id % 7).pipe(
          Stream.mapArray((items) => {
            produced.set(id, (produced.get(id) ?? 0) + items.length)
            return items
          }),
          Stream.tap((n) => n % 10 === 0 ? Effect.sleep(millis) : Effect.void)
        )
      ))
    }
  })
  return { called, events, produced, layer }
}

const upTo = (n: number) => Random.nextIntBetween(0, n)

/** A worker that is posted whatever comes to mind, and asked to close at the end. */
const history = Effect.gen(function*() {
  const { called, events, layer, produced } = watching()
  const { closes, messages, receive } = yield* serving(Tasks, layer, { shares: (yield* upTo(1)) === 1 })
  const concurrency = 1 + (yield* upTo(3))
  const posted = new Map<number, "quick" | "slow" | "items" | "update">()
  const interrupted = new Set<number>()
  const granted = new Map<number, number>()
  const read = new Map<number, number>()
  receive(begin(concurrency))
  for (let id = 0; id < 40;) {
    const batch: Array<ToWorkerMessage> = []
    for (let left = yield* upTo(4); left >= 0 && id < 40; left--, id++) {
      const payload = { id, millis: yield* upTo(5) }
      const tag = (["quick", "slow", "items", "update"] as const)[yield* upTo(3)]!
      const window = 1 + (yield* upTo(9))
      posted.set(id, tag)
      granted.set(id, window)
      batch.push(
        tag === "update"
          ? update(id, (yield* upTo(1)) === 0 ? "quick" : "slow", payload)
          : call(id, tag, payload, { window: tag === "items" ? window : 0 })
      )
      if ((yield* upTo(5)) === 0) {
        const victim = yield* upTo(id)
        interrupted.add(victim)
        batch.push(interrupt(victim))
      }
    }
    receive(...batch)
    if ((yield* upTo(2)) === 0) yield* Effect.sleep(yield* upTo(6))
    // What has been read is granted anew, as a queue does it.
    for (const message of messages()) {
      if (message[0] !== FromWorker.Chunk) continue
      const [, stream] = message
      const items = messages().reduce(
        (n, other) => other[0] === FromWorker.Chunk && other[1] === stream ? n + other[2].length : n,
        0
      )
      const more = items - (read.get(stream) ?? 0)
      if (more === 0) continue
      read.set(stream, items)
      granted.set(stream, granted.get(stream)! + more)
      receive(grant(stream, more))
    }
  }
  const force = (yield* upTo(1)) === 0
  if (force) receive(close)
  for (let i = 0; i < 100; i++) {
    yield* Effect.sleep(5)
    for (const [id, tag] of posted) {
      if (tag !== "items") continue
      granted.set(id, granted.get(id)! + 10)
      receive(grant(id, 10))
    }
  }
  if (!force) receive(close)
  return { called, events, produced, posted, interrupted, granted, concurrency, closes: closes(), messages: messages() }
})

/** A reader that grants what it has read, and nothing else. */
const reading = Effect.gen(function*() {
  const { layer } = watching()
  const { chunks, messages, receive } = yield* serving(Tasks, layer)
  let read = 0
  receive(call(1, "items", { id: 1, millis: 0 }, { window: 3 }))
  while (!messages().some(([kind]) => kind === FromWorker.Succeeded)) {
    const items = chunks(1).flat().length
    if (items > read) receive(grant(1, items - read))
    read = items
    if ((yield* upTo(9)) === 0) yield* Effect.sleep(1)
    else yield* Effect.yieldNow
  }
  return chunks(1).flat().length
})

describe("taskServer", () => {
  it.effect("law: it ends a stream whose reader grants what it has read, whenever that is", () =>
    Simulation.check(reading, ({ exit }) => {
      assert.deepStrictEqual(exit, Exit.succeed(30))
    }, { maxSteps: 20_000 }))

  it.effect("law: it answers each once, begins in order, keeps to its places, barriers and credit, whatever is posted", () =>
    Simulation.check(history, (outcome) => {
      assert.isTrue(Exit.isSuccess(outcome.exit), String(outcome.exit))
      assert.deepStrictEqual(outcome.leftover, [])
      const { called, closes, concurrency, events, granted, interrupted, messages, posted, produced } =
        (outcome.exit as Exit.Success<Effect.Success<typeof history>>).value
      assert.strictEqual(closes, 1)

      const answers = messages.filter(([kind]) => kind === FromWorker.Succeeded || kind === FromWorker.Failed)
      assert.sameMembers(answers.map((message) => message[1] as number), [...posted.keys()])

      assert.deepStrictEqual(called, [...called].sort((a, b) => a - b))
      const running = new Set<number>()
      for (const [what, id] of events) {
        if (what === "ends") running.delete(id)
        else {
          for (const other of running) {
            assert.isFalse(posted.get(other) === "update" && other < id, `${id} begins while update ${other} runs`)
          }
          running.add(id)
          assert.isAtMost(running.size, concurrency)
        }
      }
      assert.strictEqual(running.size, 0)

      for (const message of answers) {
        if (message[0] !== FromWorker.Succeeded) continue
        assert.include(called, message[1])
        if (posted.get(message[1]) !== "items") assert.strictEqual(message[3], message[1])
      }
      // Who was not interrupted, and had begun, has ended by itself.
      for (const [kind, id] of answers as ReadonlyArray<readonly [number, number]>) {
        if (!interrupted.has(id) && called.includes(id)) assert.strictEqual(kind, FromWorker.Succeeded)
      }

      for (const [id, tag] of posted) {
        if (tag !== "items") continue
        const at = messages.findIndex((message) => answers.includes(message) && message[1] === id)
        const chunks = messages.filter((message) => message[0] === FromWorker.Chunk && message[1] === id)
        const items = chunks.flatMap((chunk) => chunk[2] as ReadonlyArray<number>)
        assert.deepStrictEqual(items, items.map((_, index) => index + 1))
        assert.isAtMost(items.length, granted.get(id)!)
        assert.isAtMost(produced.get(id) ?? 0, granted.get(id)! + 1 + id % 7)
        assert.isTrue(chunks.every((chunk) => messages.indexOf(chunk) < at), "an item after the answer")
        if (messages[at]![0] === FromWorker.Succeeded) assert.strictEqual(items.length, 30)
      }
    }, { runs: 60 }))
})
