// Draws the Mandelbrot set on all processors of this machine.
//
// Run: node --conditions=conveyor-source examples/mandelbrot/main.ts -o overview.png 2000 -0.630 0 1.4 1.2
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Layer, Stdio, Stream } from "effect"
import { FiberWorkers, NodeProcesses, NodeThreads, TaskQueue } from "effect-workers"
import { CliError, CliOutput, Command, Flag, GlobalFlag } from "effect/cli"
import { parameters } from "./parameters.ts"
import { Picture } from "./Picture.ts"
import { progress } from "./progress.ts"
import { render, rows } from "./render.ts"
import { characters, comparison, statistics } from "./report.ts"
import tasks, { Tasks } from "./tasks.ts"

const module = new URL("tasks.ts", import.meta.url)

/** Who does the tasks; what they are is the same. */
const hosts = {
  threads: NodeThreads.layer(module),
  processes: NodeProcesses.layer(module),
  fibers: FiberWorkers.layer(tasks)
}

const write = Effect.fnUntraced(function*(png: Uint8Array, output: string | undefined) {
  const fs = yield* FileSystem.FileSystem
  const stdio = yield* Stdio.Stdio
  yield* output === undefined ? Stream.run(Stream.make(png), stdio.stdout()) : fs.writeFile(output, png)
})

const command = Command.make(
  "mandelbrot",
  parameters,
  ({ ciPM, compare, kind, output, steepness, workers, ...view }) =>
    Effect.gen(function*() {
      const picture = new Picture({ ...view, ciPM: ciPM ?? view.crPM })
      if (!picture.isResolvable) {
        return yield* new CliError.UserError({ cause: "the points are too near each other to be different numbers" })
      }
      const onRow = progress(picture.height, process.stderr)
      const one = compare ? yield* render(picture, { workers: 1, steepness, onRow }) : undefined
      const all = yield* render(picture, { workers, steepness, onRow })
      yield* write(all.png, output)
      yield* Console.error(statistics(all, kind))
      if (one !== undefined) yield* Console.error(comparison(one, all))
    }).pipe(
      Effect.provide(hosts[kind]),
      Effect.mapError((error) => error._tag === "UserError" ? error : new CliError.UserError({ cause: error.message }))
    )
)

/** A small picture, in characters. */
const once = GlobalFlag.Action({
  flag: Flag.Boolean("once").pipe(Flag.withDescription("draw a small picture in characters, and end")),
  run: () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue.make(Tasks, { max: 2 })
      const picture = new Picture({ width: 72, cr: -0.63, ci: 0, crPM: 1.4, ciPM: 1.12, iterations: 100 })
      const drawn = yield* Stream.runCollect(rows(queue, picture, { workers: 2, steepness: 3 }))
      yield* Console.log(characters(drawn.map(({ pixels }) => pixels)))
    }).pipe(Effect.scoped, Effect.provide(hosts.threads), Effect.orDie)
})

/** Standard output is for pictures. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.flatMap(CliOutput.Formatter, ({ formatErrors, formatHelpDoc }) =>
        Console.error(`${formatHelpDoc(event.helpDoc)}\n${formatErrors(event.errors)}`))
      : CliOutput.defaultPresenter.present(event)
})

Command.run(Command.withGlobalFlags(command, [once]), { version: "1.0.0" }).pipe(
  Effect.provide(Layer.merge(presenter, NodeServices.layer)),
  NodeRuntime.runMain
)

// Output:
//                            ...................-::..............
//                         ....................:::=-::-:............
//                      ......................::::--==-::.............
//                   ......................:::::--=@@=--:::............
//                ......................:::::::-=@@@@@@=:::::...........
//             ......................::::::::---=@@@@@@---:::::::.........
//          ......................:::::-+====@@@@@@@@@@@@+@=----=::.......
//       .....................::::::::--+@@@@@@@@@@@@@@@@@@@+@@@=-:........
//     ...............::::::::::::::-=+=@@@@@@@@@@@@@@@@@@@@@@@=-:::.......
//   ...............::--::::-::::::---@@@@@@@@@@@@@@@@@@@@@@@@@@--=:.......
// ...............::::-===--==-=-----@@@@@@@@@@@@@@@@@@@@@@@@@@@@+-::......
// .............::::::--=@@@@@@@@=--@@@@@@@@@@@@@@@@@@@@@@@@@@@@@=-:.......
// .........:::::::----@@@@@@@@@@@@=@@@@@@@@@@@@@@@@@@@@@@@@@@@@@=::.......
// ....::::::::::---+++@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@-:::.......
// .@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@=-::::.......
// ....::::::::::---+++@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@-:::.......
// .........:::::::----@@@@@@@@@@@@=@@@@@@@@@@@@@@@@@@@@@@@@@@@@@=::.......
// .............::::::--=@@@@@@@@=--@@@@@@@@@@@@@@@@@@@@@@@@@@@@@=-:.......
// ...............::::-===--==-=-----@@@@@@@@@@@@@@@@@@@@@@@@@@@@+-::......
//   ...............::--::::-::::::---@@@@@@@@@@@@@@@@@@@@@@@@@@--=:.......
//     ...............::::::::::::::-=+=@@@@@@@@@@@@@@@@@@@@@@@=-:::.......
//       .....................::::::::--+@@@@@@@@@@@@@@@@@@@+@@@=-:........
//          ......................:::::-+====@@@@@@@@@@@@+@=----=::.......
//             ......................::::::::---=@@@@@@---:::::::.........
//                ......................:::::::-=@@@@@@=:::::...........
//                   ......................:::::--=@@=--:::............
//                      ......................::::--==-::.............
//                         ....................:::=-::-:............
//                            ...................-::..............
