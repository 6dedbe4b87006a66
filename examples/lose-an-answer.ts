// A write whose answer is lost: the row is written, the caller does not learn of it, tries again, and writes it twice.
import { Console, Effect } from "effect"
import { Faults, Simulation } from "effect-simulation"

class WriteError {
  readonly _tag = "WriteError"
}

const program = (write: (rows: Array<string>) => Effect.Effect<void, WriteError>) =>
  Effect.suspend(() => {
    const rows: Array<string> = []
    return Effect.as(Effect.retry(write(rows), { times: 3 }), rows)
  })

// #region faults
const Write = Faults.point<WriteError>("store.write")
const write = (rows: Array<string>) => Effect.sync(() => rows.push("row")).pipe(Effect.asVoid, Faults.at(Write))

const search = Simulation.check(
  program(write),
  (outcome) => outcome.exit._tag === "Failure" || outcome.exit.value.length === 1,
  {
    faults: [
      Faults.fail(Write, () => new WriteError(), { probability: 0.1, when: "after" }),
      Faults.delay(Write, { max: "2 seconds" }, { probability: 0.2 })
    ]
  }
)
// #endregion

Effect.flip(search).pipe(
  Effect.flatMap((failure) => Console.log(failure.message.split("\n")[0])),
  Effect.runPromise
)

// Output:
// seed 7 failed, run 8 of the search
