// Items of several classes in the order of their priority, one at a time; equals in the order they came.
import { Console, Effect, Schema } from "effect"
import { Crawler, CrawlItem } from "effect-crawler"

class A extends CrawlItem.Class<A>()("A", { n: Schema.Number }, { priority: 1 }) {}
class B extends CrawlItem.Class<B>()("B", { n: Schema.Number }, { priority: 2 }) {}
class C extends CrawlItem.Class<C>()("C", { n: Schema.Number }, { priority: 3 }) {}

const say = (name: string) => ({ process: ({ n }: { readonly n: number }) => Console.log(`${name}${n}`) })

Crawler.run(
  [new C({ n: 1 }), new B({ n: 2 }), new C({ n: 3 }), new A({ n: 4 }), new B({ n: 5 }), new A({ n: 6 })],
  { order: "priority", concurrency: 1 }
).pipe(
  Effect.provide(CrawlItem.layers(A.toLayer(say("A")), B.toLayer(say("B")), C.toLayer(say("C")))),
  Effect.runPromise
)

// Output:
// A4
// A6
// B2
// B5
// C1
// C3
