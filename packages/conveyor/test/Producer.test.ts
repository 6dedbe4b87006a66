import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Producer, Tick } from "effect-conveyor"

const tick = Tick.make({ index: 0, dueAt: 1000, startedAt: 1003, missed: 0 })

class Connection extends Context.Service<Connection, { readonly id: number }>()("test/Connection") {}
class Reader extends Producer.Service<Reader, number, "stale">()("test/Reader") {}

const counted = (opened: Array<string>) => {
  let next = 0
  return Layer.effect(
    Connection,
    Effect.acquireRelease(
      Effect.sync(() => {
        const id = next++
        opened.push(`open ${id}`)
        return { id }
      }),
      ({ id }) => Effect.sync(() => opened.push(`close ${id}`))
    )
  )
}

const read = Effect.map(Connection, (connection) => () => Effect.succeed(connection.id))

const acquireTwice = Effect.gen(function*() {
  const reader = yield* Reader
  const once = Effect.scoped(Effect.flatMap(reader.acquire, (produce) => produce(tick)))
  return [yield* once, yield* once]
})

describe("Producer", () => {
  describe("layer", () => {
    it.effect("builds its dependencies afresh at every acquisition and releases them with it", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const layer = Producer.layer(Reader, read, { dependencies: counted(log) })
        assert.deepStrictEqual(yield* Effect.provide(acquireTwice, layer), [0, 1])
        assert.deepStrictEqual(log, ["open 0", "close 0", "open 1", "close 1"])
      }))

    it.effect("shares what its Layer requires", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const layer = Producer.layer(Reader, read).pipe(Layer.provide(counted(log)))
        assert.deepStrictEqual(yield* Effect.provide(acquireTwice, layer), [0, 0])
        assert.deepStrictEqual(log, ["open 0", "close 0"])
      }))

    it.effect("closes what was acquired directly with the acquisition's Scope, not the Layer's", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const layer = Producer.layer(
          Reader,
          Effect.as(
            Effect.acquireRelease(Effect.sync(() => log.push("open")), () => Effect.sync(() => log.push("close"))),
            () => Effect.succeed(1)
          )
        )
        yield* Effect.provide(acquireTwice, layer)
        assert.deepStrictEqual(log, ["open", "close", "open", "close"])
      }))
  })
})
