/**
 * The files that describe conveyors, decoded: keys are strict, and every problem is told at once, with its place.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import type { ConveyorPlan } from "./ConveyorPlan.ts"
import { reserved, rootKeys } from "./internal/conveyorSchema.ts"
import { planConveyor } from "./internal/planConveyor.ts"
import { found, unknown } from "./internal/schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./internal/treeProblem.ts"
import { type Environment, interpolateTree } from "./Interpolation.ts"
import {
  type ManifestError,
  ManifestInvalid,
  ManifestNotText,
  ManifestUnreadable,
  type Problem
} from "./ManifestError.ts"
import { type Format, maxBytes, type Node, parse, positionOf, renderPath } from "./ManifestFile.ts"

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
}): Effect.fn.Return<ReadonlyArray<ConveyorPlan>, ManifestInvalid> {
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
}): Effect.fn.Return<ReadonlyArray<ConveyorPlan>, ManifestError, FileSystem.FileSystem> {
  const { file } = options
  const fs = yield* FileSystem.FileSystem
  const tooLarge = `is larger than ${maxBytes} bytes; put the conveyors into several files`
  const bytes = yield* Effect.gen(function*() {
    const { size } = yield* fs.stat(file)
    // Not to be read at all: it may be a device without an end.
    return size > BigInt(maxBytes) ? undefined : yield* fs.readFile(file)
  }).pipe(Effect.mapError((error) => new ManifestUnreadable({ file, reason: reasonOf(error) })))
  if (bytes === undefined || bytes.length > maxBytes) {
    return yield* new ManifestInvalid({ problems: [{ file, line: 1, column: 1, path: "", message: tooLarge }] })
  }
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new ManifestNotText({ file })
  })
  return yield* decode({ ...options, text })
})

/**
 * Puts the plans of several files together, or all their problems.
 *
 * **Errors** Also `ManifestInvalid` when two files name a conveyor alike.
 *
 * @category combinators
 * @stability unstable
 * @since 0.1.0
 */
export const combine = (
  files: ReadonlyArray<Result.Result<ReadonlyArray<ConveyorPlan>, ManifestError>>
): Result.Result<ReadonlyArray<ConveyorPlan>, ManifestError> => {
  const errors = files.filter(Result.isFailure).map(({ failure }) => failure)
  const unreadable = errors.find((error) => error._tag !== "ManifestInvalid")
  if (unreadable !== undefined) return Result.fail(unreadable)
  const plans = files.filter(Result.isSuccess).flatMap(({ success }) => success)
  const problems = [
    ...errors.flatMap((error) => error._tag === "ManifestInvalid" ? error.problems : []),
    ...plans.flatMap(({ file, name }, i) => {
      const other = plans.slice(0, i).find((plan) => plan.name === name)
      const message = `the name \`${name}\` is taken by a conveyor in ${other?.file}; choose another`
      return other === undefined ? [] : [{ file, line: 1, column: 1, path: renderPath(["conveyors", name]), message }]
    })
  ]
  return Arr.isReadonlyArrayNonEmpty(problems)
    ? Result.fail(new ManifestInvalid({ problems }))
    : Result.succeed(plans)
}

const decodeRoot = Effect.fnUntraced(function*(
  file: string,
  root: Node,
  report: (problem: TreeProblem) => void
): Effect.fn.Return<ReadonlyArray<ConveyorPlan>> {
  if (root._tag !== "Table") {
    report(treeProblem(root.position, "", `expected a table with conveyors, found ${found(root, [])}`))
    return []
  }
  for (const [key, { position }] of root.entries) {
    if (rootKeys.includes(key) || isExtension(key)) continue
    report(treeProblem(position, key in reserved ? key : "", reserved[key] ?? unknown("key", key, rootKeys)))
  }
  const conveyors = root.entries.get("conveyors")?.value
  if (conveyors?._tag !== "Table" || conveyors.entries.size === 0) {
    report(treeProblem(
      positionOf(root, ["conveyors"], "value"),
      "conveyors",
      conveyors === undefined ? "is missing; it names the conveyors to run" : "expected a table of conveyors by name"
    ))
    return []
  }
  const plans = yield* Effect.forEach(conveyors.entries.keys(), (name) => planConveyor(file, root, name, report))
  return plans.filter((plan) => plan !== undefined)
})

/** `x-…` at the top is for the author: a place for anchors. */
const isExtension = (key: string): boolean => key.startsWith("x-")

const reasonOf = (error: PlatformError.PlatformError): string => {
  switch (error.reason._tag) {
    case "NotFound":
      return "it does not exist; name another, or begin with `conveyor init poller`"
    case "PermissionDenied":
      return "permission denied; make it readable for this user"
    default:
      return error.message
  }
}
