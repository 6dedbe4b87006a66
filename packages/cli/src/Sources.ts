/**
 * What the files named on the command line hold.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { CollectorPlan } from "./CollectorPlan.ts"
import { type ModuleInvalid, UsageError } from "./CommandFailed.ts"
import type { ConveyorPlan } from "./ConveyorPlan.ts"
import * as EventSchema from "./EventSchema.ts"
import { secrets } from "./internal/logging.ts"
import { shortPath } from "./internal/shortPath.ts"
import * as LayerModule from "./LayerModule.ts"
import * as Manifest from "./Manifest.ts"
import type { ManifestError } from "./ManifestError.ts"
import * as ManifestFile from "./ManifestFile.ts"

/**
 * Conveyors and collectors of data files, and Layers of modules.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Sources {
  readonly plans: ReadonlyArray<ConveyorPlan>
  readonly collectors: ReadonlyArray<CollectorPlan>
  readonly modules: ReadonlyArray<LayerModule.LayerModule>
}

/**
 * The file that is read when none is named.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const defaultFile = "conveyor.yaml"

/**
 * Reads files, all of them or none.
 *
 * **Details** From now on their secrets are kept out of the log. `generation` counts how often this was done before.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function*(
  files: ReadonlyArray<string>,
  generation = 0
): Effect.fn.Return<Sources, ManifestError | ModuleInvalid | UsageError, FileSystem.FileSystem> {
  const named = files.length === 0 ? [defaultFile] : Array.from(new Set(files.map(shortPath)))
  const stranger = named.find((file) => !LayerModule.isModule(file) && ManifestFile.formatOf(file) === undefined)
  if (stranger !== undefined) {
    return yield* new UsageError({
      problem: `cannot tell what ${stranger} is; its name must end in .yaml, .yml, .json, .toml, .ts or .js`
    })
  }
  const manifests = yield* Effect.forEach(
    named.filter((file) => !LayerModule.isModule(file)),
    (file) => Effect.result(Manifest.load({ file, format: ManifestFile.formatOf(file)!, environment: process.env }))
  )
  const { collectors: planned, conveyors: plans } = yield* Effect.fromResult(Manifest.combine(manifests))
  for (const plan of [...plans, ...planned]) for (const secret of plan.secrets) secrets.add(secret)
  const collectors = yield* Effect.forEach(planned, loadSchema)
  const modules = yield* Effect.forEach(
    named.filter(LayerModule.isModule),
    (file) => LayerModule.load(file, generation)
  )
  return { plans, collectors, modules }
})

/**
 * Reads the schema that a collector names, so that it checks its events.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const loadSchema = Effect.fnUntraced(function*(
  plan: CollectorPlan
): Effect.fn.Return<CollectorPlan, ManifestError | UsageError, FileSystem.FileSystem> {
  if (plan.schema === undefined) return plan
  const format = ManifestFile.formatOf(plan.schema)
  if (format === undefined) {
    return yield* new UsageError({
      problem: `cannot tell what the schema ${plan.schema} is; its name must end in .json, .yaml, .yml or .toml`
    })
  }
  return { ...plan, check: yield* EventSchema.load(plan.schema, format) }
})
