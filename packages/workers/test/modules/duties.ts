import { Context, Effect, Layer, Schema } from "effect"
import * as TaskModule from "effect-workers/TaskModule"
import { Rpc, RpcGroup } from "effect/rpc"
import { appendFileSync } from "node:fs"

class Duties extends RpcGroup.make(
  Rpc.make("double", { payload: { n: Schema.Finite }, success: Schema.Finite }),
  Rpc.make("builds", { success: Schema.Finite }),
  Rpc.make("crash", { payload: { text: Schema.String } }),
  Rpc.make("print"),
  Rpc.make("never")
) {}

const note = (line: string) => Effect.sync(() => appendFileSync(process.env["NOTES"] ?? "/dev/null", `${line}\n`))

class Desk extends Context.Service<Desk, { readonly builds: number }>()("test/Desk") {
  static builds = 0
  static readonly layer = Layer.effect(
    Desk,
    Effect.acquireRelease(
      Effect.as(note(`built by ${process.pid}`), { builds: ++this.builds }),
      () => note("released")
    )
  )
}

export default TaskModule.make(
  Duties,
  Duties.toLayer(Effect.gen(function*() {
    const desk = yield* Desk
    return {
      double: ({ n }) => Effect.succeed(2 * n),
      builds: () => Effect.succeed(desk.builds),
      crash: ({ text }) =>
        Effect.sync(() =>
          void setImmediate(() => {
            throw new Error(text)
          })
        ),
      print: () =>
        Effect.sync(() => {
          process.stdout.write("printed by a worker\n")
          process.stderr.write("complained by a worker\n")
        }),
      never: () => Effect.onInterrupt(Effect.andThen(note("begun"), Effect.never), () => note("interrupted"))
    }
  })).pipe(Layer.provide(Desk.layer))
)
