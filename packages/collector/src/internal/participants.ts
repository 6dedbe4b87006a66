import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Collector from "../Collector.ts"
import type { CollectorLike, RouterLike } from "../CollectorQueue.ts"
import * as Router from "../Router.ts"
import type { Participants } from "./collection.ts"

type AnyCollector = Collector.Collector<any, unknown, unknown, unknown, any>
type AnyRouter = Router.Router<any, Router.Kind, unknown, any>

/** Finds who takes part, and sets them up one after the other, the router first. */
export const setUp = Effect.fnUntraced(function*(
  queue: string,
  collectors: ReadonlyArray<CollectorLike>,
  routerLike: RouterLike | undefined
): Effect.fn.Return<Participants, unknown, any> {
  if (collectors.length === 0) throw new RangeError(`CollectorQueue ${queue}: collectors must not be empty`)
  const router = yield* routerOf(routerLike ?? Router.all)
  const found = yield* Effect.forEach(collectors, collectorOf)
  const choose = yield* router.setup
  const collects = yield* Effect.forEach(found, ({ setup }) => setup)
  // The fibers of the crew have the services of the caller, which are those that these functions need.
  return {
    collects: collects as unknown as Participants["collects"],
    candidates: found.map(({ name, schema }, index) => ({
      name,
      index,
      accepts: schema === undefined ? () => true : Schema.is(schema as Schema.Schema<unknown>)
    })),
    choose: router.kind === "all" ? undefined : choose as unknown as Participants["choose"],
    concurrent: router.concurrent
  }
})

const routerOf = (like: RouterLike): Effect.Effect<AnyRouter, never, any> =>
  Router.isRouter(like)
    ? Effect.succeed(like as AnyRouter)
    : like as unknown as Effect.Effect<AnyRouter, never, any>

const collectorOf = (like: CollectorLike): Effect.Effect<AnyCollector, never, any> => {
  if (Collector.isCollector(like)) return Effect.succeed(like as AnyCollector)
  if (Effect.isEffect(like)) return like as unknown as Effect.Effect<AnyCollector, never, any>
  const collect = like as Collector.Collect<any, unknown, unknown, any>
  return Effect.succeed(Collector.fromFunction(collect.name === "" ? "collector" : collect.name, collect))
}
