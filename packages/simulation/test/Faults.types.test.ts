import { describe, expectTypeOf, it } from "@effect/vitest"
import { Effect } from "effect"
import { Faults } from "effect-simulation"

const Write = Faults.point<"lost">("store.write")

describe("Faults", () => {
  it("a point adds the error that it may be made to fail with", () => {
    const wrapped = Effect.fail("own" as const).pipe(Faults.at(Write))
    expectTypeOf(wrapped).toEqualTypeOf<Effect.Effect<never, "own" | "lost">>()
    expectTypeOf(Effect.succeed(1).pipe(Faults.at(Faults.point("quiet")))).toEqualTypeOf<Effect.Effect<number>>()
  })

  it("a point fails with nothing else", () => {
    expectTypeOf(Faults.fail(Write, () => "lost" as const)).toEqualTypeOf<Faults.Fault>()
    // @ts-expect-error "burnt" is no error of this point
    Faults.fail(Write, () => "burnt" as const)
    // @ts-expect-error a point without an error cannot fail
    Faults.fail(Faults.point("quiet"), () => "lost" as const)
  })
})
