import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/** Something acquired in a Scope that gives a function returning an Effect: the shape of every producer and consumer. */
type Acquire<In, A, E, R, EA, RA> = Effect.Effect<(input: In) => Effect.Effect<A, E, R>, EA, RA>

/**
 * Closes a recipe over the services it needs, so that it can be acquired again and again with nothing but a Scope.
 *
 * `dependencies` are built in that Scope on every acquisition, and freshly: a memoised Layer would hand back the very
 * connection that went stale.
 */
export const closeOver = <In, A, E, R, EA, RA, D, ED, RD>(
  acquire: Acquire<In, A, E, R, EA, RA>,
  dependencies: Layer.Layer<D, ED, RD> | undefined
): Effect.Effect<
  Effect.Effect<(input: In) => Effect.Effect<A, E>, EA | ED, Scope.Scope>,
  never,
  Exclude<R | RA, D | Scope.Scope> | RD
> =>
  Effect.map(Effect.context<any>(), (captured) => {
    // The Scope captured here is the Layer's: acquiring in it would keep every stale connection until the very end.
    const outer = Context.omit(Scope.Scope)(captured as Context.Context<Scope.Scope>) as Context.Context<any>
    return Effect.gen(function*() {
      const scope = yield* Effect.scope
      const fresh: Context.Context<any> = dependencies === undefined
        ? Context.empty() as Context.Context<any>
        : yield* Effect.provideContext(Layer.buildWithScope(Layer.fresh(dependencies), scope), outer)
      const context = Context.merge(outer, fresh)
      const run = yield* Effect.provideContext(acquire, Context.add(context, Scope.Scope, scope))
      return (input: In) => Effect.provideContext(run(input), context) as Effect.Effect<A, E>
    })
  })
