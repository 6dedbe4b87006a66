import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Consumer, Tick } from "effect-conveyor"

const tick = Tick.make({ index: 0, dueAt: 1000, startedAt: 1003, missed: 0 })
const delivery = <A>(payload: A, attempt = 1): Consumer.Delivery<A> => ({ payload, tick, attempt })

class Database extends Context.Service<Database, { readonly name: string }>()("test/Database") {}
class Writer extends Consumer.Service<Writer, number, "down">()("test/Writer") {}

describe("Consumer", () => {
  it.effect("gives one that takes payloads singly the payload, its tick and its attempt", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const consumer = Consumer.fromFunction(
        "single",
        (payload: string, tick, attempt) => Effect.sync(() => seen.push(payload, tick.index, attempt))
      )
      const consume = yield* consumer.acquire
      yield* consume([delivery("a", 2)])
      assert.deepStrictEqual(seen, ["a", 0, 2])
      assert.strictEqual(consumer.takes, "one")
    }))

  it.effect("gives one that takes batches all of them at once", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const consumer = Consumer.makeBatch(
        "batch",
        Effect.succeed((batch: ReadonlyArray<Consumer.Delivery<number>>) => Effect.sync(() => seen.push(batch.length)))
      )
      const consume = yield* consumer.acquire
      yield* consume([delivery(1), delivery(2)])
      assert.deepStrictEqual(seen, [2])
      assert.strictEqual(consumer.takes, "batch")
    }))

  it.effect("says how it takes payloads when it is a service", () =>
    Effect.gen(function*() {
      const takes = Effect.map(Writer, (writer) => writer.takes)
      const singly = Consumer.layer(Writer, Effect.succeed(() => Effect.void))
      const inBatches = Consumer.layerBatch(Writer, Effect.succeed(() => Effect.void))
      assert.deepStrictEqual(
        [yield* Effect.provide(takes, singly), yield* Effect.provide(takes, inBatches)],
        ["one", "batch"]
      )
    }))

  it.effect("builds its dependencies afresh at every acquisition", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      let opened = 0
      const database = Layer.effect(
        Database,
        Effect.acquireRelease(
          Effect.sync(() => ({ name: `db ${++opened}` })),
          ({ name }) => Effect.sync(() => log.push(`close ${name}`))
        )
      )
      const layer = Consumer.layer(
        Writer,
        Effect.map(Database, ({ name }) => (payload) => Effect.sync(() => log.push(`${payload} to ${name}`))),
        { dependencies: database }
      )
      yield* Effect.gen(function*() {
        const writer = yield* Writer
        for (const payload of [1, 2]) {
          yield* Effect.scoped(Effect.flatMap(writer.acquire, (consume) => consume([delivery(payload)])))
        }
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(log, ["1 to db 1", "close db 1", "2 to db 2", "close db 2"])
    }))
})
