import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

// Between two steps of a fiber the scheduler may put it aside, and an interrupt that arrives there discards the value
// the first step produced. `Effect.suspend(() => Exit.succeed(queue.take()))` is two steps, so it can lose an item.
// An attempt that ends at once is therefore evaluated inside the step that made it, as `effect/Queue` does.

type Evaluate = (this: unknown, fiber: Fiber.Fiber<any, any>) => Effect.Effect<any, any>

const probe = (): Effect.Effect<any, any> => Exit.void

const evaluateKey = Object.entries(Effectable.Prototype<Effect.Effect<any, any>>({ label: "", evaluate: probe }))
  .find(([, member]) => (member as unknown) === probe)![0]

interface OneStep<A, E> extends Effect.Effect<A, E> {
  attempt: () => Effect.Effect<A, E>
}

const Proto = Effectable.Prototype<OneStep<any, any>>({
  label: "WorkQueue",
  evaluate(fiber) {
    const effect = this.attempt()
    return Exit.isExit(effect)
      ? (effect as unknown as Record<string, Evaluate>)[evaluateKey]!.call(effect, fiber)
      : effect
  }
})

/** An effect that runs `attempt`, and delivers an Exit it returns to what follows without a gap. */
export const oneStep = <A, E>(attempt: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const self: OneStep<A, E> = Object.create(Proto)
  self.attempt = attempt
  return self
}
