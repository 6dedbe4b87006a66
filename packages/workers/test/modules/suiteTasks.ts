import * as Effect from "effect/Effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Transferable from "effect/workers/Transferable"
import { CurrentTask } from "../../src/CurrentTask.ts"
import * as TaskModule from "../../src/TaskModule.ts"

// What the contract suite runs on workers of every kind. A worker remembers what it was told, for that is all that can be seen
// of one that is elsewhere.

export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { why: Schema.String }) {}

const Named = Schema.Struct({ name: Schema.String })

export class SuiteTasks extends RpcGroup.make(
  Rpc.make("echo", { payload: Schema.Finite, success: Schema.Finite }),
  Rpc.make("note", { payload: Named }),
  Rpc.make("history", { success: Schema.Array(Schema.String) }),
  Rpc.make("refuse", { payload: Named, error: Refusal }),
  Rpc.make("die"),
  Rpc.make("hang", { payload: Named }),
  Rpc.make("sleep", { payload: Schema.Finite, success: Schema.Finite }),
  Rpc.make("text", { payload: Schema.String, success: Schema.String }),
  Rpc.make("bytes", { payload: Schema.Uint8Array, success: Schema.Uint8Array }),
  Rpc.make("move", { payload: Transferable.Uint8Array, success: Transferable.Uint8Array }),
  Rpc.make("dates", { payload: Schema.Array(Schema.Date), success: Schema.Array(Schema.Date) }),
  Rpc.make("count", { payload: Schema.Finite, success: Schema.Finite, stream: true }),
  Rpc.make("countThenRefuse", { payload: Schema.Finite, success: Schema.Finite, error: Refusal, stream: true }),
  Rpc.make("counted", { success: Schema.Finite }),
  Rpc.make("set", { payload: Schema.Finite }),
  Rpc.make("get", { success: Schema.Finite }),
  Rpc.make("attempt", { success: Schema.Finite }),
  Rpc.make("workerName", { success: Schema.String }),
  Rpc.make("exit", { payload: Schema.Finite }),
  Rpc.make("exitFirst", { payload: Schema.Finite, success: Schema.Finite }),
  Rpc.make("spin"),
  Rpc.make("any", { payload: Schema.Any, success: Schema.Any }),
  Rpc.make("giveFunction", { success: Schema.Any }),
  Rpc.make("hold", { payload: Named, error: Refusal })
) {}

/** Items that `count` makes at a time. */
export const chunkSize = 16

const handlers = SuiteTasks.toLayer(Effect.sync(() => {
  const history: Array<string> = []
  let counted = 0
  let value = 0
  const note = (text: string) => Effect.sync(() => void history.push(text))
  const attempt = Effect.map(CurrentTask, (task) => task?.attempt ?? 0)
  const count = (n: number) =>
    Stream.range(1, n, chunkSize).pipe(
      Stream.mapArray((items) => {
        counted += items.length
        return items
      }),
      Stream.ensuring(note("counted"))
    )
  return {
    echo: Effect.succeed,
    note: ({ name }) => note(name),
    history: () => Effect.sync(() => history.slice()),
    refuse: ({ name }) => Effect.fail(new Refusal({ why: name })),
    die: () => Effect.die(new RangeError("out of range")),
    hang: ({ name }) =>
      Effect.andThen(note(`${name} begins`), Effect.never).pipe(
        Effect.onInterrupt(() => Effect.andThen(Effect.yieldNow, note(`${name} is interrupted`)))
      ),
    sleep: (millis) => Effect.as(Effect.sleep(millis), millis),
    text: Effect.succeed,
    bytes: Effect.succeed,
    move: Effect.succeed,
    dates: Effect.succeed,
    count,
    countThenRefuse: (n) => Stream.concat(count(n), Stream.fail(new Refusal({ why: "enough" }))),
    counted: () => Effect.sync(() => counted),
    set: (n) => Effect.sync(() => void (value = n)),
    get: () => Effect.sync(() => value),
    attempt: () => Effect.andThen(Effect.yieldNow, attempt),
    workerName: () => Effect.andThen(Effect.yieldNow, Effect.map(CurrentTask, (task) => task?.worker ?? "")),
    any: Effect.succeed,
    giveFunction: () => Effect.succeed(() => 1),
    hold: ({ name }) =>
      Effect.acquireUseRelease(
        note(`${name} is acquired`),
        () => Effect.fail(new Refusal({ why: name })),
        () => note(`${name} is released`)
      ),
    exit: (code) => Effect.andThen(Effect.yieldNow, Effect.sync(() => process.exit(code))),
    exitFirst: (times) =>
      Effect.filterOrElse(
        Effect.andThen(Effect.yieldNow, attempt),
        (attempt) => attempt > times,
        (attempt) => Effect.sync(() => process.exit(attempt))
      ),
    spin: () =>
      Effect.sync(() => {
        // Stuck: no interruption reaches it.
        while (true);
      })
  }
}))

export default TaskModule.make(SuiteTasks, handlers)
