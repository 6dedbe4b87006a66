import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem } from "effect"

/** The path of a file in a folder of its own, which is deleted when the Scope closes. */
export const temporaryFile = (name: string) =>
  Effect.provide(
    Effect.map(
      Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.orDie(fs.makeTempDirectoryScoped())),
      (folder) => `${folder}/${name}`
    ),
    NodeServices.layer
  )
