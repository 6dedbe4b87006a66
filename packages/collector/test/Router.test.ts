import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { Collector, CollectorQueue, Router } from "effect-collector"
import { TestClock } from "effect/testing"

const quiet = { autoscale: false, maxConsumers: 1, logging: false } as const
const named = (name: string) => Collector.fromFunction(name, (_payload: unknown) => Effect.succeed(name))
const abc = [named("a"), named("b"), named("c")] as const

/** Who got each of some payloads. */
const routed = <P>(router: Router.Router<P, "some">, payloads: ReadonlyArray<P>) =>
  Effect.scoped(Effect.gen(function*() {
    const queue = yield* CollectorQueue.make("routed", { ...quiet, collectors: abc, router })
    const receipts = yield* queue.publisher.sendAll(payloads as never)
    return yield* Effect.forEach(
      receipts,
      (receipt) =>
        Effect.map(
          receipt.results,
          (results) =>
            results.map((exit) => exit === undefined ? "-" : Exit.isSuccess(exit) ? exit.value : "!").join("")
        )
    )
  }))

const Text = Schema.String
const Count = Schema.Finite
const text = Collector.fromFunction("text", (value: string) => Effect.succeed(`text ${value}`), { schema: Text })
const count = Collector.fromFunction("count", (value: number) => Effect.succeed(`count ${value}`), { schema: Count })
const anything = Collector.fromFunction("anything", (value: unknown) => Effect.succeed(`any ${value}`))

const kindOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit)
    ? exit.value
    : Cause.hasFails(exit.cause)
    ? "fails"
    : Cause.hasDies(exit.cause)
    ? "dies"
    : "interrupted"

describe("Router", () => {
  it("tells a router from the service that holds one", () => {
    class Routes extends Router.Service<Routes, number>()("test/Routes") {}
    assert.isTrue(Router.isRouter(Router.all))
    assert.isTrue(Router.isRouter(Router.concurrent(Router.roundRobin)))
    assert.isFalse(Router.isRouter(Routes))
    assert.isFalse(Router.isRouter(undefined))
  })

  describe("all", () => {
    it.effect("gives every payload to every collector, and is the default", () =>
      Effect.gen(function*() {
        for (const router of [undefined, Router.all]) {
          const queue = yield* CollectorQueue.make("all", { ...quiet, collectors: abc, router })
          assert.deepStrictEqual(yield* (yield* queue.publisher.send(1)).all, ["a", "b", "c"])
        }
      }))
  })

  describe("in turn", () => {
    const late = <A, E>(effect: Effect.Effect<A, E>) => () => Effect.andThen(Effect.yieldNow, effect)
    const throwing = (): Effect.Effect<string> => {
      throw new Error("thrown")
    }

    it.effect("lets each have its own end, whatever became of those before", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("apart", {
          ...quiet,
          collectors: [
            throwing,
            named("a"),
            () => Effect.fail("no"),
            late(Effect.die("defect")),
            late(Effect.interrupt),
            throwing,
            named("b")
          ]
        })
        const results = yield* (yield* queue.publisher.send(1)).results
        assert.deepStrictEqual(results.map(kindOf), ["dies", "a", "fails", "dies", "interrupted", "dies", "b"])
      }))

    it.effect.each(
      [
        { collectors: [late(Effect.fail("no")), late(Effect.void)], outcome: "failed" },
        { collectors: [late(Effect.void), () => Effect.fail("no"), late(Effect.void)], outcome: "failed" },
        { collectors: [late(Effect.fail("no")), late(Effect.interrupt)], outcome: "failed" },
        { collectors: [late(Effect.interrupt), late(Effect.fail("no"))], outcome: "interrupted" },
        { collectors: [late(Effect.void), late(Effect.void)], outcome: "succeeded" }
      ] as const
    )(
      "counts an event by the first collector that failed ($outcome)",
      ({ collectors, outcome }) =>
        Effect.gen(function*() {
          for (const router of [Router.all, Router.concurrent(Router.all)]) {
            const queue = yield* CollectorQueue.make("counted", { ...quiet, collectors, router })
            yield* (yield* queue.publisher.send(1)).results
            yield* queue.awaitIdle
            const none = { succeeded: 0, failed: 0, interrupted: 0, dropped: 0 }
            assert.deepStrictEqual((yield* queue.metrics).outcomes, { ...none, [outcome]: 1 })
          }
        })
    )
  })

  describe("bySchema", () => {
    it.effect("gives a payload to each collector whose schema accepts it", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("schema", {
          ...quiet,
          collectors: [text, count, anything],
          router: Router.bySchema
        })
        const [one, two, three] = yield* queue.publisher.sendAll(["x", 2, true])
        assert.deepStrictEqual(yield* one!.results, [Exit.succeed("text x"), undefined, Exit.succeed("any x")])
        assert.deepStrictEqual(yield* two!.results, [undefined, Exit.succeed("count 2"), Exit.succeed("any 2")])
        assert.deepStrictEqual(yield* three!.results, [undefined, undefined, Exit.succeed("any true")])
        assert.strictEqual(yield* two!.first, "count 2")
        assert.deepStrictEqual(yield* two!.all, [undefined, "count 2", "any 2"])
      }))

    it.effect("has no collector for what none accepts", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("nobody", {
          ...quiet,
          collectors: [text, count],
          router: Router.bySchema
        })
        const receipt = yield* queue.publisher.send(true as never)
        assert.deepStrictEqual(yield* receipt.results, [undefined, undefined])
        for (const view of [receipt.first, receipt.all]) {
          const error = yield* Effect.flip(
            view as Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>
          )
          assert.strictEqual(error._tag, "Unroutable")
          assert.strictEqual(error.message, "queue nobody has no collector for event 1")
        }
        assert.strictEqual((yield* queue.metrics).outcomes.succeeded, 1)
      }))
  })

  describe("firstAccepting", () => {
    it.effect("gives a payload to the first collector whose schema accepts it", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("first", {
          ...quiet,
          collectors: [text, anything, count],
          router: Router.firstAccepting
        })
        const [one, two] = yield* queue.publisher.sendAll(["x", 2])
        assert.deepStrictEqual(yield* one!.results, [Exit.succeed("text x"), undefined, undefined])
        assert.deepStrictEqual(yield* two!.results, [undefined, Exit.succeed("any 2"), undefined])
        const strict = yield* CollectorQueue.make("strict", {
          ...quiet,
          collectors: [text],
          router: Router.firstAccepting
        })
        const nobody = yield* strict.publisher.send(2 as never)
        assert.strictEqual((yield* Effect.flip(nobody.all))._tag, "Unroutable")
      }))
  })

  describe("roundRobin", () => {
    it.effect("gives payloads to the collectors in turn, each queue from the beginning", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 2; i++) {
          assert.deepStrictEqual(yield* routed(Router.roundRobin, [1, 2, 3, 4]), ["a--", "-b-", "--c", "a--"])
        }
      }))
  })

  describe("byKey", () => {
    it.effect("gives payloads of one key always to the same collector", () =>
      Effect.gen(function*() {
        const payloads = Array.from({ length: 300 }, (_, i) => ({ user: `user ${i % 30}`, i }))
        const places = yield* routed(Router.byKey(({ user }: { user: string }) => user), payloads)
        const again = yield* routed(Router.byKey(({ user }: { user: string }) => user), payloads)
        for (let i = 0; i < 300; i++) assert.strictEqual(places[i], places[i % 30])
        assert.deepStrictEqual(again, places)
      }))

    it.effect("spreads keys over the collectors", () =>
      Effect.gen(function*() {
        const strings = yield* routed(
          Router.byKey((key: unknown) => key),
          Array.from({ length: 300 }, (_, i) => `key ${i}`)
        )
        const numbers = yield* routed(Router.byKey((key: unknown) => key), Array.from({ length: 300 }, (_, i) => i))
        for (const places of [strings, numbers]) {
          for (const place of ["a--", "-b-", "--c"]) {
            assert.isAtLeast(places.filter((each) => each === place).length, 50, place)
          }
        }
      }))

    it.effect("compares keys by value", () =>
      Effect.gen(function*() {
        class Key extends Data.Class<{ readonly tenant: number }> {}
        const places = yield* routed(
          Router.byKey(({ tenant }: { tenant: number }) => new Key({ tenant })),
          Array.from({ length: 40 }, (_, i) => ({ tenant: i % 10 }))
        )
        for (let i = 0; i < 40; i++) assert.strictEqual(places[i], places[i % 10])
      }))
  })

  describe("make", () => {
    it.effect("gives each chosen collector the payload once, in the order of declaration", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const noting = (name: string) => Collector.fromFunction(name, () => Effect.sync(() => order.push(name)))
        const queue = yield* CollectorQueue.make("twice", {
          ...quiet,
          collectors: [noting("a"), noting("b"), noting("c")],
          router: Router.make((_: number, [a, , c]) => [c!, a!, c!, c!])
        })
        yield* (yield* queue.publisher.send(1)).all
        assert.deepStrictEqual(order, ["a", "c"])
      }))

    it.effect("shows each collector's name, place and what it accepts", () =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const own = (value: unknown) => Effect.succeed(value)
        const queue = yield* CollectorQueue.make("shown", {
          ...quiet,
          collectors: [text as Collector.Collector<unknown>, own, () => Effect.void],
          router: Router.make((_: unknown, collectors) => {
            seen.push(...collectors.map(({ accepts, index, name }) => [name, index, accepts("x"), accepts(1)]))
            return collectors
          })
        })
        yield* (yield* queue.publisher.send("x")).results
        assert.deepStrictEqual(seen, [["text", 0, true, false], ["own", 1, true, true], ["collector", 2, true, true]])
      }))

    it.effect("may choose in an Effect, with services", () =>
      Effect.gen(function*() {
        const router = Router.make((n: number, collectors) =>
          Effect.as(Effect.sleep("1 second"), collectors.slice(0, n))
        )
        const routing = yield* Effect.forkChild(routed(router, [0, 1, 2, 3]))
        yield* TestClock.adjust(0)
        for (let i = 0; i < 4; i++) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(routing), ["---", "a--", "ab-", "abc"])
      }))

    it.effect.each([
      {
        name: "throws",
        choose: (): ReadonlyArray<Router.Candidate> => {
          throw new Error("lost")
        }
      },
      { name: "dies", choose: () => Effect.die(new Error("lost")) },
      { name: "dies later", choose: () => Effect.andThen(Effect.yieldNow, Effect.die(new Error("lost"))) }
    ])("settles the event with the defect when it $name, and lives on", ({ choose }) =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("lost", {
          ...quiet,
          collectors: abc,
          router: Router.make((n: number, collectors) => n === 1 ? choose() : collectors)
        })
        const [bad, good] = yield* queue.publisher.sendAll([1, 2])
        const results = yield* bad!.results
        assert.strictEqual(results.length, 3)
        const views: ReadonlyArray<Exit.Exit<unknown, unknown> | undefined> = [
          ...results,
          yield* Effect.exit(bad!.first),
          yield* Effect.exit(bad!.all)
        ]
        for (const exit of views) {
          assert.isTrue(exit !== undefined && Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("lost"))
        }
        assert.deepStrictEqual(yield* good!.all, ["a", "b", "c"])
        assert.strictEqual((yield* queue.metrics).outcomes.failed, 1)
      }))

    it.effect("leaves an event interrupted that it was choosing for when the queue ended", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("choosing", {
          ...quiet,
          consumerShutdownTimeout: 0,
          collectors: abc,
          router: Router.make(() => Effect.never)
        })
        const receipt = yield* queue.publisher.send(1)
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* queue.shutDown).interrupted, 1)
        const results = yield* receipt.results
        assert.isTrue(results.every((exit) => Exit.isFailure(exit!) && Cause.hasInterruptsOnly(exit.cause)))
        assert.strictEqual(results.length, 3)
      }))
  })

  describe("layer", () => {
    class Best extends Context.Service<Best, { readonly name: string }>()("test/Best") {}
    class Routes extends Router.Service<Routes, number>()("test/Routes") {}

    it.effect("gives the router what its own Layer had, whoever runs the queue, and releases it with the queue", () =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const live = Router.layer(
          Routes,
          Effect.gen(function*() {
            const { name } = yield* Best
            yield* Effect.acquireRelease(Effect.sync(() => order.push("+")), () => Effect.sync(() => order.push("-")))
            return (n: number, collectors) =>
              Effect.map(Best, (best) => collectors.filter((each) => each.name === (n === 1 ? name : best.name)))
          })
        ).pipe(Layer.provide(Layer.succeed(Best, { name: "b" })))
        yield* Effect.gen(function*() {
          yield* Effect.scoped(Effect.gen(function*() {
            const queue = yield* CollectorQueue.make("layer", { ...quiet, collectors: abc, router: Routes })
            for (const receipt of yield* queue.publisher.sendAll([1, 2])) {
              assert.deepStrictEqual(yield* receipt.results, [undefined, Exit.succeed("b"), undefined])
            }
          }))
          order.push("layer is still there")
        }).pipe(Effect.provide(live), Effect.provideService(Best, { name: "c" }))
        assert.deepStrictEqual(order, ["+", "-", "layer is still there"])
      }))
  })

  describe("concurrent", () => {
    const slow = (name: string, millis: number) =>
      Collector.fromFunction(name, () => Effect.as(Effect.sleep(millis), name))

    it.effect("lets the chosen collect at the same time", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("together", {
          ...quiet,
          collectors: [slow("a", 3000), slow("b", 1000), slow("c", 2000)],
          router: Router.concurrent(Router.all)
        })
        const receipt = yield* queue.publisher.send(1)
        yield* TestClock.adjust("2999 millis")
        assert.isFalse(receipt.isSettled)
        yield* TestClock.adjust("1 millis")
        assert.isTrue(receipt.isSettled)
        assert.deepStrictEqual(yield* receipt.all, ["a", "b", "c"])
        assert.strictEqual((yield* queue.metrics).serviceTime, 3000)
        const two = yield* CollectorQueue.make("two", {
          ...quiet,
          collectors: [slow("a", 1000), slow("b", 1000)],
          router: Router.concurrent(Router.all)
        })
        const both = yield* two.publisher.send(1)
        yield* TestClock.adjust("1 second")
        assert.isTrue(both.isSettled)
      }))

    it.effect("lets each have its own end, whatever becomes of the others", () =>
      Effect.gen(function*() {
        const queue = yield* CollectorQueue.make("apart", {
          ...quiet,
          collectors: [
            () => Effect.fail("no"),
            () => Effect.die("defect"),
            (): Effect.Effect<string> => {
              throw new Error("thrown")
            },
            () => Effect.interrupt,
            slow("late", 1000),
            named("prompt")
          ],
          router: Router.concurrent(Router.all)
        })
        const receipt = yield* queue.publisher.send(1)
        yield* TestClock.adjust("1 second")
        const results = yield* receipt.results
        assert.deepStrictEqual(results.map(kindOf), ["fails", "dies", "dies", "interrupted", "late", "prompt"])
        assert.strictEqual((yield* queue.metrics).outcomes.failed, 1)
      }))

    it.effect("keeps what had ended when the queue ends, and interrupts the others", () =>
      Effect.gen(function*() {
        for (const router of [Router.concurrent(Router.all), Router.all]) {
          const queue = yield* CollectorQueue.make("partly", {
            ...quiet,
            consumerShutdownTimeout: 0,
            collectors: [named("a"), slow("b", 5000), named("c")],
            router
          })
          const receipt = yield* queue.publisher.send(1)
          yield* TestClock.adjust("1 second")
          yield* queue.shutDown
          const [a, b, c] = yield* receipt.results
          assert.deepStrictEqual(a, Exit.succeed("a"))
          assert.isTrue(Exit.isFailure(b) && Cause.hasInterruptsOnly(b.cause))
          if (router.concurrent) assert.deepStrictEqual(c, Exit.succeed("c"))
          else assert.isTrue(Exit.isFailure(c) && Cause.hasInterruptsOnly(c.cause))
          assert.strictEqual(yield* receipt.first, "a")
        }
      }))
  })
})
