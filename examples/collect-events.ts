// A hundred payloads, two collectors, and what became of each: results are typed, and nobody waits for ever.
import { Console, Context, Effect, Exit, Layer } from "effect"
import { Collector, CollectorQueue, MessageBus } from "effect-collector"

interface Order {
  readonly id: number
  readonly mail: string
}

class Database extends Context.Service<Database, {
  readonly insert: (order: Order) => Effect.Effect<number, "duplicate">
}>()("shop/Database") {
  static readonly layer = Layer.succeed(Database, {
    insert: ({ id }) => id === 13 ? Effect.fail("duplicate") : Effect.as(Effect.sleep("1 millis"), id)
  })
}

// #region queue
class Audit extends Collector.Service<Audit, Order, number, "duplicate">()("shop/Audit") {
  // Set up once, before the first event; what it acquires is released after the last one has settled.
  static readonly layer = Collector.layer(Audit, Effect.map(Database, ({ insert }) => insert))
}
class Mail extends Collector.Service<Mail, Order, string>()("shop/Mail") {
  static readonly layer = Collector.layer(Mail, Effect.succeed(({ mail }) => Effect.succeed(`sent to ${mail}`)))
}

class Orders extends CollectorQueue.Service<Orders>()("shop/Orders", { collectors: [Audit, Mail] }) {
  static readonly layer = CollectorQueue.layer(this, {
    maxConsumers: 1000,
    logging: false,
    handlers: [
      MessageBus.on("Initialized", () => Console.log("collector queue initialized")),
      MessageBus.on(
        "ShutDown",
        ({ report }) => Console.log("collector queue has shut down:", report.settled, "settled")
      )
    ]
  })
}

const program = Effect.gen(function*() {
  const { publisher } = yield* Orders
  const orders = Array.from({ length: 100 }, (_, id): Order => ({ id, mail: `customer-${id}@example.org` }))
  const receipts = yield* publisher.sendAll(orders) // anything but an order would not compile
  let stored = 0
  for (const receipt of receipts) {
    const [audit, mail] = yield* receipt.results // Exit<number, "duplicate">, Exit<string>
    if (Exit.isSuccess(audit)) stored++
    else yield* Console.log(`event ${receipt.id}: ${audit.cause.toString()}, and yet ${yield* mail}`)
  }
  yield* Console.log(`${stored} of ${receipts.length} stored`)
})
// #endregion

program.pipe(
  Effect.provide(Orders.layer),
  Effect.provide([Audit.layer.pipe(Layer.provide(Database.layer)), Mail.layer]),
  Effect.runPromise
)

// Output:
// collector queue initialized
// event 14: Cause([Fail("duplicate")]), and yet sent to customer-13@example.org
// 99 of 100 stored
// collector queue has shut down: 100 settled
