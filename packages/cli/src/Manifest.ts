/**
 * The files that describe conveyors and collectors, decoded: keys are strict, and every problem is told at once, with its place.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import type { CollectorPlan } from "./CollectorPlan.ts"
import type { ConveyorPlan } from "./ConveyorPlan.ts"
import { reserved, rootKeys } from "./internal/conveyorSchema.ts"
import { readText } from "./internal/fileText.ts"
import { planCollector } from "./internal/planCollector.ts"
import { planConveyor } from "./internal/planConveyor.ts"
import { found, unknown } from "./internal/schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./internal/treeProblem.ts"
import { type Environment, interpolateTree } from "./Interpolation.ts"
import { type ManifestError, ManifestInvalid, type Problem } from "./ManifestError.ts"
import { type Format, type Node, parse, positionOf, renderPath } from "./ManifestFile.ts"

/**
 * What a file describes.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Plans {
  readonly conveyors: ReadonlyArray<ConveyorPlan>
  readonly collectors: ReadonlyArray<CollectorPlan>
}

const none: Plans = { conveyors: [], collectors: [] }

/**
 * Decodes the text of a file.
 *
 * **Details** Whatever the text is, this gives plans or problems. Options of connectors are checked by the connectors' own schemas; nothing is
 * opened or reached.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const decode = Effect.fnUntraced(function*(options: {
  readonly file: string
  readonly format: Format
  readonly text: string
  readonly environment: Environment
}): Effect.fn.Return<Plans, ManifestInvalid> {
  const { environment, file, format, text } = options
  const tree = parse(file, format, text)
  if (Result.isFailure(tree)) return yield* new ManifestInvalid({ problems: tree.failure })
  const { node, problems } = interpolateTree(tree.success, environment)
  const all = [...problems]
  const plans = yield* decodeRoot(file, node, (problem) => {
    // Where a variable is missing, what is wrong with the text without it is no news.
    if (!problems.some((missing) => missing.path === problem.path && missing.path !== "")) all.push(problem)
  })
  const located: ReadonlyArray<Problem> = all
    .map((problem) => ({ file, ...problem }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
  return Arr.isReadonlyArrayNonEmpty(located) ? yield* new ManifestInvalid({ problems: located }) : plans
})

/**
 * Reads and decodes a file.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function*(options: {
  readonly file: string
  readonly format: Format
  readonly environment: Environment
}): Effect.fn.Return<Plans, ManifestError, FileSystem.FileSystem> {
  const text = yield* readText(
    options.file,
    "it does not exist; name another, or begin with `conveyor init poller`"
  )
  return yield* decode({ ...options, text })
})

/**
 * Puts the plans of several files together, or all their problems.
 *
 * **Errors** Also `ManifestInvalid` when two files name a conveyor, or a collector, alike.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const combine = (
  files: ReadonlyArray<Result.Result<Plans, ManifestError>>
): Result.Result<Plans, ManifestError> => {
  const errors = files.filter(Result.isFailure).map(({ failure }) => failure)
  const unreadable = errors.find((error) => error._tag !== "ManifestInvalid")
  if (unreadable !== undefined) return Result.fail(unreadable)
  const plans = files.filter(Result.isSuccess).map(({ success }) => success)
  const conveyors = plans.flatMap(({ conveyors }) => conveyors)
  const collectors = plans.flatMap(({ collectors }) => collectors)
  const problems = [
    ...errors.flatMap((error) => error._tag === "ManifestInvalid" ? error.problems : []),
    ...namesakes("conveyor", conveyors),
    ...namesakes("collector", collectors)
  ]
  return Arr.isReadonlyArrayNonEmpty(problems)
    ? Result.fail(new ManifestInvalid({ problems }))
    : Result.succeed({ conveyors, collectors })
}

const namesakes = (
  kind: string,
  plans: ReadonlyArray<{ readonly file: string; readonly name: string }>
): ReadonlyArray<Problem> =>
  plans.flatMap(({ file, name }, i) => {
    const other = plans.slice(0, i).find((plan) => plan.name === name)
    const message = `the name \`${name}\` is taken by a ${kind} in ${other?.file}; choose another`
    return other === undefined ? [] : [{ file, line: 1, column: 1, path: renderPath([`${kind}s`, name]), message }]
  })

const decodeRoot = Effect.fnUntraced(function*(
  file: string,
  root: Node,
  report: (problem: TreeProblem) => void
): Effect.fn.Return<Plans> {
  if (root._tag !== "Table") {
    report(treeProblem(root.position, "", `expected a table with conveyors or collectors, found ${found(root, [])}`))
    return none
  }
  for (const [key, { position }] of root.entries) {
    if (rootKeys.includes(key) || isExtension(key)) continue
    report(treeProblem(position, key in reserved ? key : "", reserved[key] ?? unknown("key", key, rootKeys)))
  }
  if (!rootKeys.some((key) => root.entries.has(key))) {
    report(treeProblem(
      root.position,
      "",
      "names nothing to run; add `conveyors`, for `conveyor run`, or `collectors`, for `conveyor collect`"
    ))
  }
  const section = <Plan>(key: string, plan: (name: string) => Effect.Effect<Plan | undefined>) => {
    const table = root.entries.get(key)?.value
    if (table === undefined) return Effect.succeed([])
    if (table._tag !== "Table" || table.entries.size === 0) {
      report(treeProblem(positionOf(root, [key], "value"), key, `expected a table of ${key} by name`))
      return Effect.succeed([])
    }
    return Effect.map(Effect.forEach(table.entries.keys(), plan), (plans) => plans.filter((plan) => plan !== undefined))
  }
  return {
    conveyors: yield* section("conveyors", (name) => planConveyor(file, root, name, report)),
    collectors: yield* section("collectors", (name) => planCollector(file, root, name, report))
  }
})

/** `x-…` at the top is for the author: a place for anchors. */
const isExtension = (key: string): boolean => key.startsWith("x-")
