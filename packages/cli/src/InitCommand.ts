/**
 * `conveyor init`: a new project.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { basename, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { DirectoryUnwritable, FilesExist } from "./CommandFailed.ts"
import { print } from "./internal/standardStreams.ts"
import { version } from "./internal/version.ts"

/**
 * The command.
 *
 * **Details** Writes all files or, where one of them exists, none.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("init", {
  template: Argument.Literals("template", ["poller"]).pipe(
    Argument.withDescription("poller: reads something at an interval and writes it somewhere")
  ),
  directory: Argument.String("dir").pipe(
    Argument.withDescription("where to put it; made when missing, this directory unless given"),
    Argument.withDefault(".")
  )
}, ({ directory, template }) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const source = fileURLToPath(new URL(`../templates/${template}`, import.meta.url))
    const files = (yield* Effect.orDie(fs.readDirectory(source))).sort().map((name) => ({
      from: join(source, name),
      // npm leaves files of this name out of packages.
      to: join(directory, name === "gitignore" ? ".gitignore" : name)
    }))
    const unwritable = Effect.mapError((error: { readonly message: string }) =>
      new DirectoryUnwritable({ directory, reason: error.message })
    )
    const existing = yield* unwritable(Effect.filter(files, ({ to }) => fs.exists(to)))
    if (existing.length > 0) return yield* new FilesExist({ files: existing.map(({ to }) => to) })
    yield* unwritable(fs.makeDirectory(directory, { recursive: true }))
    for (const { from, to } of files) {
      const text = yield* Effect.orDie(fs.readFileString(from))
      // Exclusive, for the case that somebody else is writing the same.
      yield* unwritable(fs.writeFileString(to, fill(text, directory), { flag: "wx" }))
    }
    const enter = directory === "." ? "" : `cd ${directory} && `
    yield* print(`${files.map(({ to }) => `${to}\n`).join("")}\nnext: ${enter}npm install && npm start\n`)
  })).pipe(
    Command.withDescription("Begin a new project"),
    Command.withExamples([{ command: "conveyor init poller weather", description: "A project in ./weather" }])
  )

const fill = (text: string, directory: string): string =>
  text.replaceAll("__VERSION__", version).replaceAll("__NAME__", packageName(basename(resolve(directory))))

/** What npm takes as the name of a package. */
const packageName = (name: string): string =>
  name.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, "-").replace(/^[._-]+/, "").slice(0, 214) || "poller"
