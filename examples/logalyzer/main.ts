// Finds suspicious addresses in access logs, on worker processes: one task for each log, which streams what it finds.
//
// Run: node --conditions=conveyor-source examples/logalyzer/main.ts --ignore known.txt /var/log/nginx/access.log*
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Stream } from "effect"
import { NodeProcesses, TaskQueue } from "effect-workers"
import { Argument, CliError, Command, Flag, GlobalFlag } from "effect/cli"
import { availableParallelism } from "node:os"
import { generate } from "./generate.ts"
import { printable, Report } from "./Report.ts"
import { Tasks } from "./tasks.ts"

interface Options {
  readonly workers: number
  /** Addresses that are known, and not to be told again. */
  readonly ignored: ReadonlyArray<string>
}

/** Prints what is found as it is found, and a summary at the end. Fails if a log could not be read, after all that could. */
const analyze = Effect.fn("analyze")(
  function*(paths: ReadonlyArray<string>, { ignored, workers }: Options) {
    const queue = yield* TaskQueue.make(Tasks, { max: workers })
    // There is no worker yet. Each has this list before its first log.
    yield* TaskQueue.update(queue, "ignore", { addresses: ignored })

    const report = new Report()
    const unread: Array<string> = []
    const read = (path: string) =>
      TaskQueue.stream(queue, "analyze", { path }).pipe(
        Stream.runForEach((finding) => {
          const isNew = report.add(path, finding)
          if (finding._tag === "Broken") return Console.error(`${path}:${finding.line}: no line of an access log`)
          if (!isNew || finding._tag !== "Suspect") return Effect.void
          return Console.error(
            `${path}:${finding.line}: ${finding.address} ${finding.rule} ${printable(finding.target)}`
          )
        }),
        // A log that cannot be read is no reason not to read the others.
        Effect.catch((error) => {
          unread.push(path)
          return Console.error(`${path}: ${error.message}`)
        })
      )
    yield* Effect.forEach(paths, read, { concurrency: 2 * workers, discard: true })

    yield* Console.log(report.summary())
    yield* Console.log(`${report.lines} lines in ${paths.length} logs, ${report.broken} of them broken`)
    if (unread.length > 0) {
      return yield* new CliError.UserError({
        cause: `not read, or not to the end: ${unread.join(", ")}`
      })
    }
  },
  Effect.scoped,
  Effect.provide(NodeProcesses.layer(new URL("tasks.ts", import.meta.url)))
)

const command = Command.make(
  "logalyzer",
  {
    paths: Argument.File("log", { mustExist: true }).pipe(
      Argument.withDescription("access logs, compressed if they end in .gz"),
      Argument.atLeast(1)
    ),
    ignore: Flag.FileText("ignore").pipe(
      Flag.withDescription("a file with an address on each line that is known already"),
      Flag.withDefault("")
    ),
    workers: Flag.Int("workers").pipe(
      Flag.withDescription("how many; by default one for each processor"),
      Flag.filter((n) => n > 0, () => "expected a number above 0"),
      Flag.withDefault(availableParallelism())
    )
  },
  ({ ignore, paths, workers }) =>
    analyze(paths, { workers, ignored: ignore.split(/\s+/).filter((line) => line !== "") })
)

/** Logs that are made up, of which one knows what is in them. */
const once = GlobalFlag.Action({
  flag: Flag.Boolean("once").pipe(Flag.withDescription("analyze logs that are made up, and end")),
  run: () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const logs = yield* generate(yield* fs.makeTempDirectoryScoped(), { seed: 1, logs: 4, lineCount: 1000 })
      yield* analyze(logs.map(({ path }) => path), { workers: 2, ignored: ["203.0.113.8"] })
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer), Effect.orDie)
})

Command.run(Command.withGlobalFlags(command, [once]), { version: "1.0.0" }).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)

// Output:
//     50  2001:db8::bad:3  missing: /old/20.html
//     25  203.0.113.10     missing: /old/20.html
//      9  203.0.113.7      probe: /wp-login.php
//      6  2001:db8::bad:0  probe: /wp-login.php
//      6  2001:db8::bad:1  traversal: /../../etc/passwd
//      4  203.0.113.9      scanner: /
//      2  2001:db8::bad:2  scanner: /
// 4000 lines in 4 logs, 8 of them broken
