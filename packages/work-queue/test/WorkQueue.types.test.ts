import { describe, expectTypeOf, it } from "@effect/vitest"
import type { Array as Arr, Cause, Exit, Scope } from "effect"
import { Context, Effect } from "effect"
import { Crew, WorkQueue } from "effect-work-queue"

class Service extends Context.Service<Service, { readonly n: number }>()("test/Service") {}

const queue = WorkQueue.makeUnsafe<string, "broken">()

describe("WorkQueue types", () => {
  it("takers see the queue's error and its end", () => {
    expectTypeOf(WorkQueue.take(queue)).toEqualTypeOf<Effect.Effect<string, Cause.Done | "broken">>()
    expectTypeOf(WorkQueue.awaitEnd(queue)).toEqualTypeOf<Effect.Effect<void, "broken">>()
    expectTypeOf(WorkQueue.make<number>()).toEqualTypeOf<Effect.Effect<WorkQueue.WorkQueue<number>>>()
  })

  it("an item of another type is refused", () => {
    // @ts-expect-error a number is not a string
    WorkQueue.offer(queue, 1)
    // @ts-expect-error the queue fails with "broken" only
    WorkQueue.fail(queue, "other")
  })
})

describe("Crew types", () => {
  it("carries what the work gives, fails with and needs", () => {
    const crew = Crew.make(queue, {
      size: 1,
      work: (item) =>
        Effect.flatMap(Service, ({ n }) => n > 0 ? Effect.succeed(item.length) : Effect.fail("no" as const)),
      onSettled: (item, exit) => {
        expectTypeOf(item).toEqualTypeOf<string>()
        expectTypeOf(exit).toEqualTypeOf<Exit.Exit<number, "no">>()
      }
    })
    expectTypeOf(crew).toEqualTypeOf<Effect.Effect<Crew.Crew<string, number, "no">, never, Scope.Scope | Service>>()
  })

  it("gives batches of at least one", () => {
    Crew.makeBatch(queue, {
      size: 1,
      batch: { size: 2, wait: "1 second" },
      work: (items) => {
        expectTypeOf(items).toEqualTypeOf<Arr.NonEmptyReadonlyArray<string>>()
        return Effect.void
      }
    })
  })
})
