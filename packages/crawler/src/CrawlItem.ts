/**
 * A kind of work in a crawl: a Schema class for the data, a Layer for the behaviour.
 *
 * An item is plain data, so that it can be shown, compared and stored. What is done with it stands in a Layer, which an item
 * cannot be enqueued without: the class is what `enqueue` requires and what its Layer provides.
 *
 * **Source** aqueue's `Item` with `process`, `after_children_processed`, `track_overall` and `priority`. Typed outcomes,
 * retries, failure policies and keys are new.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Skipped } from "./CrawlOutcome.ts"

/**
 * Says of which class an item is.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const TypeId = "~effect-crawler/CrawlItem"

/**
 * An item of the class of a name, which comes to an `A` or fails with an `E`; the types alone know of these.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Item<out Name extends string = string, out A = unknown, out E = unknown> {
  readonly [TypeId]: Name
  readonly "~effect-crawler/Exit"?: Exit.Exit<A, E> | undefined
}

/**
 * What an item comes to.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Success<I> = I extends Item<string, infer A, infer _E> ? A : never

/**
 * What an item fails with.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Failure<I> = I extends Item<string, infer _A, infer E> ? E : never

/**
 * What becomes of an item when one of its children comes to a failure: it is told (`collect`), it fails at once and what is
 * left below it is not done (`failFast`), or it is not told (`ignore`). A failure further below is known only by what the
 * items between come to.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type FailurePolicy = "collect" | "failFast" | "ignore"

/**
 * What a class says of its items.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ClassOptions<in Fields, A, E> {
  /** What processing an item gives. Defaults to `Schema.Void`. */
  readonly success?: Schema.Schema<A> | undefined
  /** What it fails with. Defaults to `Schema.Never`. */
  readonly failure?: Schema.Schema<E> | undefined
  /** Whether the overall progress counts these items. Defaults to `false`. */
  readonly trackOverall?: boolean | undefined
  /** Lower first, in a crawl whose order is `"priority"`. Defaults to 0. */
  readonly priority?: number | ((fields: Fields) => number) | undefined
  /** Defaults to `"collect"`. */
  readonly onFailure?: FailurePolicy | undefined
  /** Tries an item that failed again, as long as the schedule goes on. Defaults to never. */
  readonly retry?: Schedule.Schedule<unknown, E> | undefined
  /** Items of one class and key are done once; later ones are skipped as duplicates. Defaults to none. */
  readonly key?: ((fields: Fields) => string) | undefined
}

/**
 * What a child of an item came to, as its parent is told.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ChildOutcome {
  readonly item: Item
  readonly exit: Exit.Exit<unknown, unknown>
}

/**
 * What an item may do while it is processed.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Processing {
  /** The number of the item in its crawl, from 1, in the order of enqueuing. */
  readonly id: number
  /** 0 for a root. */
  readonly depth: number
  /** The item that enqueued this one. */
  readonly parent: Item | undefined
  /**
   * Adds children, of any classes whose Layers are there, and gives those that are skipped. They may begin before this item
   * has been processed; those of a class with `retry` are added, and skipped, when the attempt has succeeded. In a crawl with a
   * store they are held in memory until this item has been processed, and begin, or are skipped as known or too many, after that.
   */
  readonly enqueue: <const Items extends ReadonlyArray<Item>>(
    ...items: Items
  ) => Effect.Effect<ReadonlyArray<Skipped>, never, Items[number]>
  /** Says what is being done now, for whoever looks at the crawl. */
  readonly describe: (text: string) => Effect.Effect<void>
}

/**
 * What is done with the items of a class.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Behavior<in Self, A, E, R> {
  /** Processes an item. */
  readonly process: (item: Self, crawl: Processing) => Effect.Effect<A, E, R>
  /**
   * Runs exactly once for each item, after the item and all its descendants have settled and their hooks have run. `own` is
   * what processing came to; what this gives or fails with is what the item comes to. Children stand in the order in which they settled.
   */
  readonly afterChildren?:
    | ((
      item: Self,
      outcomes: { readonly own: Exit.Exit<A, E>; readonly children: ReadonlyArray<ChildOutcome> }
    ) => Effect.Effect<A, E, R>)
    | undefined
}

/**
 * A class's behaviour together with the class, as a crawl finds it.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Registered {
  readonly name: string
  /** Makes items of what is stored of them. */
  readonly schema: Schema.Codec<Item, unknown>
  readonly options: ClassOptions<any, any, any>
  readonly behavior: Behavior<any, unknown, unknown, never>
}

/**
 * A class of items.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ItemClass<Self, Name extends string, Fields extends Schema.Struct.Fields, A, E>
  extends Schema.Class<Self, Schema.Struct<Fields>, Item<Name, A, E>>
{
  readonly itemName: Name
  /**
   * Implements the class. `make` runs once, in the Scope of the Layer. What `process` requires of other items is required of
   * the Layer too, but for the class itself.
   */
  readonly toLayer: <R = never, EX = never, RX = never>(
    make: Behavior<Self, A, E, R> | Effect.Effect<Behavior<Self, A, E, R>, EX, RX>
  ) => Layer.Layer<Self, EX, Exclude<R | RX, Self | Scope.Scope>>
}

/** Where a crawl finds what is done with the items of a class. */
const serviceOf = (name: string) => Context.Service<never, Registered>(`effect-crawler/CrawlItem/${name}`)

/**
 * Declares a class of items.
 *
 * **Example** (A directory, whose size is that of all below it)
 *
 * ```ts
 * class Directory extends CrawlItem.Class<Directory>()("Directory", { path: Schema.String }, {
 *   success: Schema.Number
 * }) {}
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const Class =
  <Self>() =>
  <const Name extends string, const Fields extends Schema.Struct.Fields, A = void, E = never>(
    name: Name,
    fields: Fields,
    options: ClassOptions<Schema.Struct.Type<Fields>, A, E> = {}
  ): ItemClass<Self, Name, Fields, A, E> => {
    const Base = Schema.Class<any>(name)(fields)
    Object.defineProperty(Base.prototype, TypeId, { value: name })
    return Object.assign(Base, {
      itemName: name,
      // Called on the class that extends this one, whose instances are what is to be made of stored items.
      toLayer(
        this: Registered["schema"],
        make: Behavior<Self, A, E, any> | Effect.Effect<Behavior<Self, A, E, any>, any, any>
      ) {
        return Layer.effect(
          serviceOf(name),
          Effect.map(
            Effect.all([Effect.isEffect(make) ? make : Effect.succeed(make), Effect.context<any>()]),
            ([behavior, context]) => ({ name, schema: this, options, behavior: provided(behavior, context) })
          )
        )
      }
    }) as never
  }

const provided = (
  { afterChildren, process }: Behavior<any, any, any, any>,
  context: Context.Context<any>
): Behavior<any, unknown, unknown, never> => ({
  process: (item, crawl) => Effect.provideContext(process(item, crawl), context),
  afterChildren: afterChildren === undefined
    ? undefined
    : (item, outcomes) => Effect.provideContext(afterChildren(item, outcomes), context)
})

/**
 * Puts the Layers of item classes together, which may enqueue each other's items in any direction.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layers = <
  const Layers extends readonly [Layer.Layer<any, any, any>, ...ReadonlyArray<Layer.Layer<any, any, any>>]
>(
  ...all: Layers
): Layer.Layer<
  Layer.Success<Layers[number]>,
  Layer.Error<Layers[number]>,
  Exclude<Layer.Services<Layers[number]>, Layer.Success<Layers[number]>>
> => Layer.mergeAll(...all) as never

/**
 * What is done with the items of a class, where it is known.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const find = (context: Context.Context<never>, name: string): Registered | undefined =>
  Context.getOrUndefined(context, serviceOf(name))
