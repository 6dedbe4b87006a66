// A burst is absorbed: consumers are hired while it lasts and dismissed when it is over. On a virtual clock, in no time.
import { Console, Effect, Schedule } from "effect"
import { CollectorQueue, MessageBus, ScalingPolicy } from "effect-collector"
import { TestClock } from "effect/testing"

const print = (what: string) =>
  Effect.flatMap(
    Effect.clockWith((clock) => clock.currentTimeMillis),
    (now) => Console.log(`${(now / 1000).toFixed(2).padStart(6)} s  ${what}`)
  )

const program = Effect.gen(function*() {
  const queue = yield* CollectorQueue.make("orders", {
    collectors: [() => Effect.sleep("100 millis")],
    maxConsumers: 50,
    scaling: ScalingPolicy.little({ coolDown: "5 seconds" }),
    logging: false,
    handlers: [
      MessageBus.on("ScaledUp", ({ from, to }) => print(`${from} → ${to} consumers`)),
      MessageBus.on("ScaledDown", ({ from, to }) => print(`${from} → ${to} consumers`))
    ]
  })
  const calm = Effect.repeat(queue.publisher.send(0), Schedule.spaced("100 millis"))
  yield* Effect.forkScoped(calm)
  yield* TestClock.adjust("3 seconds")
  yield* print("a burst of 500")
  yield* queue.publisher.sendAll(Array.from({ length: 500 }, (_, i) => i))
  yield* TestClock.adjust("30 seconds")
  const { eventCount, qsize, waitTimes } = yield* queue.metrics
  yield* print(`${eventCount} events, ${qsize} waiting, the longest waited ${waitTimes.max.toFixed(0)} ms`)
})

Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(TestClock.layer())))

// Output:
//   3.00 s  a burst of 500
//   3.01 s  1 → 50 consumers
//   8.50 s  50 → 43 consumers
//   8.60 s  43 → 37 consumers
//   8.70 s  37 → 31 consumers
//   8.80 s  31 → 25 consumers
//   8.90 s  25 → 20 consumers
//   9.00 s  20 → 13 consumers
//   9.10 s  13 → 2 consumers
//  33.00 s  831 events, 0 waiting, the longest waited 1000 ms
