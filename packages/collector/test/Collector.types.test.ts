import { describe, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, type Exit, type Layer, Schema, type Scope, Stream } from "effect"
import {
  Collector,
  type CollectorError,
  CollectorQueue,
  MessageBus,
  type Publisher,
  type Receipt,
  Router
} from "effect-collector"

interface Order {
  readonly id: number
  readonly total: number
}
class Unpaid {
  readonly _tag = "Unpaid"
}
class NoDisk {
  readonly _tag = "NoDisk"
}
class NoMap {
  readonly _tag = "NoMap"
}
class Database extends Context.Service<Database, { readonly put: (n: number) => Effect.Effect<string> }>()(
  "types/Database"
) {}
class Clerk extends Context.Service<Clerk, { readonly name: string }>()("types/Clerk") {}
class Audit extends Collector.Service<Audit, Order, number, Unpaid, NoDisk>()("types/Audit") {}
class Regions extends Router.Service<Regions, { readonly id: number }, NoMap>()("types/Regions") {}

const byTotal = (order: { readonly total: number }) => Effect.succeed(order.total > 100)
const byDatabase = (order: { readonly id: number }) => Effect.flatMap(Database, ({ put }) => put(order.id))
const text = Collector.fromFunction("text", (value: string) => Effect.succeed(value.length), { schema: Schema.String })
const count = Collector.fromFunction("count", () => Effect.fail("odd" as const), { schema: Schema.Finite })

type PayloadOf<Q> = Q extends Effect.Effect<CollectorQueue.CollectorQueue<infer P, infer _Rs>, infer _E, infer _R> ? P
  : never
type ResultsOf<Q> = Q extends Effect.Effect<CollectorQueue.CollectorQueue<infer _P, infer Rs>, infer _E, infer _R> ? Rs
  : never

describe("types of a queue", () => {
  it("carry what its collectors take, give, fail with and need", () => {
    const made = CollectorQueue.make("orders", { collectors: [Audit, byTotal, byDatabase] })
    expectTypeOf(made).toEqualTypeOf<
      Effect.Effect<
        CollectorQueue.CollectorQueue<
          Order & { readonly total: number } & { readonly id: number },
          readonly [Exit.Exit<number, Unpaid>, Exit.Exit<boolean>, Exit.Exit<string>]
        >,
        NoDisk,
        Audit | Database | Scope.Scope
      >
    >()
  })

  it("refuse a payload that one of the collectors does not take", () => {
    const made = CollectorQueue.make("orders", {
      collectors: [Audit, (order: { readonly vip: boolean }) => Effect.succeed(order.vip)]
    })
    expectTypeOf(Effect.map(made, ({ publisher }) => [
      publisher.send({ id: 1, total: 2, vip: true }),
      // @ts-expect-error the second collector wants to know whether it is a VIP's
      publisher.send({ id: 1, total: 2 }),
      // @ts-expect-error nor may it be one of several
      publisher.sendAll([{ id: 1, total: 2, vip: true }, { vip: true }]),
      // @ts-expect-error nobody takes text
      publisher.withPriority(1).send("text")
    ])).not.toBeAny()
  })

  it("take payloads of collectors that are made in place and do not look at them", () => {
    const made = CollectorQueue.make("inline", {
      collectors: [
        Collector.fromFunction("a", (n: number) => Effect.succeed(n)),
        Collector.fromFunction("b", () => Effect.succeed("b")),
        Collector.make("c", Effect.succeed(() => Effect.succeed(true))),
        () => Effect.void
      ],
      router: Router.make((_, collectors) => collectors)
    })
    expectTypeOf<PayloadOf<typeof made>>().toEqualTypeOf<number>()
  })

  it("are those of one of the collectors where the router asks who accepts", () => {
    const each = CollectorQueue.make("each", { collectors: [text, count], router: Router.bySchema })
    expectTypeOf<PayloadOf<typeof each>>().toEqualTypeOf<string | number>()
    expectTypeOf<ResultsOf<typeof each>>().toEqualTypeOf<
      readonly [Exit.Exit<number> | undefined, Exit.Exit<never, "odd"> | undefined]
    >()
    const first = CollectorQueue.make("first", {
      collectors: [text, count],
      router: Router.concurrent(Router.firstAccepting)
    })
    expectTypeOf<PayloadOf<typeof first>>().toEqualTypeOf<string | number>()
    const all = CollectorQueue.make("all", { collectors: [text, count], router: Router.concurrent(Router.all) })
    expectTypeOf<PayloadOf<typeof all>>().toEqualTypeOf<never>()
    expectTypeOf<ResultsOf<typeof all>>().toEqualTypeOf<readonly [Exit.Exit<number>, Exit.Exit<never, "odd">]>()
  })

  it("are also those of the router", () => {
    const keyed = CollectorQueue.make("keyed", {
      collectors: [byTotal, byTotal],
      router: Router.byKey((order: { readonly region: string }) => order.region)
    })
    expectTypeOf<PayloadOf<typeof keyed>>().toEqualTypeOf<{ readonly total: number } & { readonly region: string }>()
    const own = CollectorQueue.make("own", {
      collectors: [byTotal],
      router: Router.make((order: { readonly region: string }, collectors) =>
        Effect.map(Clerk, ({ name }) => order.region === name ? collectors : [])
      )
    })
    expectTypeOf(own).toEqualTypeOf<
      Effect.Effect<
        CollectorQueue.CollectorQueue<
          { readonly total: number } & { readonly region: string },
          readonly [Exit.Exit<boolean> | undefined]
        >,
        never,
        Clerk | Scope.Scope
      >
    >()
    const service = CollectorQueue.make("service", { collectors: [Audit], router: Regions })
    expectTypeOf<Effect.Error<typeof service>>().toEqualTypeOf<NoDisk | NoMap>()
    expectTypeOf<Effect.Services<typeof service>>().toEqualTypeOf<Audit | Regions | Scope.Scope>()
  })

  it("refuse what is neither a collector nor a router", () => {
    // @ts-expect-error a number collects nothing
    CollectorQueue.make("wrong", { collectors: [1] })
    // @ts-expect-error nor does a function that gives no Effect
    CollectorQueue.make("wrong", { collectors: [(n: number) => n] })
    // @ts-expect-error nor does the service of something else
    CollectorQueue.make("wrong", { collectors: [Clerk] })
    // @ts-expect-error a collector does not choose
    CollectorQueue.make("wrong", { collectors: [text], router: count })
  })

  it("give options the payload, and take what handlers need", () => {
    const made = CollectorQueue.make("options", {
      collectors: [byTotal],
      keyed: {
        by: (order) => {
          expectTypeOf(order).toEqualTypeOf<{ readonly total: number }>()
          return order.total
        }
      },
      handlers: [
        MessageBus.on("ScaledUp", (event) => {
          expectTypeOf(event.to).toEqualTypeOf<number>()
          return Effect.asVoid(Clerk)
        }),
        MessageBus.on("ShutDown", ({ report }) => {
          expectTypeOf(report).toEqualTypeOf<MessageBus.ShutDownReport>()
          return Effect.void
        })
      ]
    })
    expectTypeOf<Effect.Services<typeof made>>().toEqualTypeOf<Clerk | Scope.Scope>()
    // @ts-expect-error there is no such event
    MessageBus.on("Exploded", () => Effect.void)
  })
})

describe("types of a receipt", () => {
  type Rs = readonly [Exit.Exit<number, "a">, Exit.Exit<string, "b">]
  type Some = readonly [Exit.Exit<number, "a"> | undefined, Exit.Exit<string, "b"> | undefined]

  it("say what each collector gives, and fails with", () => {
    expectTypeOf<Receipt.Receipt<Rs>["results"]>().toEqualTypeOf<Effect.Effect<Rs, CollectorError.Dropped>>()
    expectTypeOf<Receipt.Receipt<Rs>["first"]>().toEqualTypeOf<
      Effect.Effect<number, "a" | CollectorError.Dropped | CollectorError.Unroutable>
    >()
    expectTypeOf<Receipt.Receipt<Rs>["all"]>().toEqualTypeOf<
      Effect.Effect<readonly [number, string], "a" | "b" | CollectorError.Dropped | CollectorError.Unroutable>
    >()
  })

  it("say what may be missing where the router chooses", () => {
    expectTypeOf<Receipt.Receipt<Some>["first"]>().toEqualTypeOf<
      Effect.Effect<number | string, "a" | "b" | CollectorError.Dropped | CollectorError.Unroutable>
    >()
    expectTypeOf<Receipt.Receipt<Some>["all"]>().toEqualTypeOf<
      Effect.Effect<
        readonly [number | undefined, string | undefined],
        "a" | "b" | CollectorError.Dropped | CollectorError.Unroutable
      >
    >()
  })
})

describe("types of a publisher", () => {
  it("make send a plain function, to stand where payloads are consumed", () => {
    const publisher = null as unknown as Publisher.Publisher<Order>
    expectTypeOf(publisher).toEqualTypeOf<Publisher.Publisher<Order>>()
    const consumer: (order: Order) => Effect.Effect<unknown, CollectorError.QueueShutDown> = (order) =>
      publisher.send(order)
    expectTypeOf(Stream.runForEach(Stream.make({ id: 1, total: 2 }), consumer)).toEqualTypeOf<
      Effect.Effect<void, CollectorError.QueueShutDown>
    >()
    // A publisher of orders does for what makes more of them, and not for what makes less.
    expectTypeOf<Publisher.Publisher<Order>>().toExtend<Publisher.Publisher<Order & { readonly vip: boolean }>>()
    expectTypeOf<Publisher.Publisher<Order>>().not.toExtend<Publisher.Publisher<{ readonly id: number }>>()
  })
})

describe("types of a service", () => {
  class Orders
    extends CollectorQueue.Service<Orders>()("types/Orders", { collectors: [Audit, byDatabase], router: Regions })
  {}

  it("are those of its contract", () => {
    expectTypeOf<Context.Service.Shape<typeof Orders>>().toEqualTypeOf<
      CollectorQueue.CollectorQueue<
        Order & { readonly id: number },
        readonly [Exit.Exit<number, Unpaid> | undefined, Exit.Exit<string> | undefined]
      >
    >()
    expectTypeOf(CollectorQueue.layer(Orders)).toEqualTypeOf<
      Layer.Layer<Orders, NoDisk | NoMap, Audit | Regions | Database>
    >()
  })

  it("hold what implements a collector or a router to what was declared", () => {
    const live = Collector.layer(
      Audit,
      Effect.map(Database, () => (order) => {
        expectTypeOf(order).toEqualTypeOf<Order>()
        return Effect.map(Clerk, ({ name }) => name.length)
      })
    )
    expectTypeOf(live).toEqualTypeOf<Layer.Layer<Audit, never, Database | Clerk>>()
    // @ts-expect-error the service promises numbers
    Collector.layer(Audit, Effect.succeed(() => Effect.succeed("text")))
    // @ts-expect-error the service fails with Unpaid
    Collector.layer(Audit, Effect.succeed(() => Effect.fail("other" as const)))
    // @ts-expect-error its set-up fails with NoDisk
    Collector.layer(Audit, Effect.fail("other" as const))
    // @ts-expect-error the router chooses among collectors
    Router.layer(Regions, Effect.succeed(() => ["text"]))
    // @ts-expect-error its set-up fails with NoMap
    Router.layer(Regions, Effect.fail("other" as const))
  })

  it("need no Scope of a set-up that acquires", () => {
    const scoped = Collector.make("scoped", Effect.as(Effect.addFinalizer(() => Effect.void), byDatabase))
    expectTypeOf(scoped).toEqualTypeOf<Collector.Collector<{ readonly id: number }, string, never, never, Database>>()
  })
})
