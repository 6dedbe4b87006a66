/**
 * JSON Schema for the events that a collector accepts.
 *
 * Draft 2020-12, as far as Effect's schemas can hold it to its word: a keyword that would not be enforced is refused when the
 * file is read, with its place, and never passed over.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import { readText } from "./internal/fileText.ts"
import { checkKeywords } from "./internal/jsonSchemaKeywords.ts"
import { findings } from "./internal/schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./internal/treeProblem.ts"
import { type ManifestError, ManifestInvalid } from "./ManifestError.ts"
import { type Format, parse, positionOf, toValue } from "./ManifestFile.ts"

/**
 * What is wrong with an event: where in it, as a JSON pointer, and what was expected there and found.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Violation {
  readonly pointer: string
  readonly message: string
}

/**
 * Tells what is wrong with an event; nothing, if it is acceptable.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Check = (event: unknown) => ReadonlyArray<Violation>

/**
 * Accepts every event.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const everything: Check = () => []

/**
 * Reads the file of a schema.
 *
 * **Errors** `ManifestInvalid` also for what is valid JSON Schema and would not be enforced: `format`, `not`, `if`, `contains`,
 * `dependentRequired`, references into other files and the like.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function*(
  file: string,
  format: Format
): Effect.fn.Return<Check, ManifestError, FileSystem.FileSystem> {
  const text = yield* readText(file, "it does not exist; name a file that holds JSON Schema")
  return yield* Effect.fromResult(decode(file, format, text))
})

/**
 * Decodes the text of a schema.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const decode = (file: string, format: Format, text: string): Result.Result<Check, ManifestInvalid> => {
  const invalid = (problems: Arr.NonEmptyReadonlyArray<TreeProblem>) =>
    Result.fail(new ManifestInvalid({ problems: Arr.map(problems, (problem) => ({ file, ...problem })) }))
  const tree = parse(file, format, text)
  if (Result.isFailure(tree)) return Result.fail(new ManifestInvalid({ problems: tree.failure }))
  const root = tree.success
  const problems = checkKeywords(root)
  if (Arr.isReadonlyArrayNonEmpty(problems)) return invalid(problems)
  return Result.match(Result.try(() => toCheck(toValue(root) as JsonSchema.JsonSchema)), {
    onSuccess: Result.succeed,
    // Effect says why it cannot enforce a combination of keywords, and on a second line where that is.
    onFailure: (cause) => {
      const [message = "", place = ""] = String(cause instanceof Error ? cause.message : cause).split("\n  at ")
      const [origin, ...below] = Array.from(place.matchAll(/\["?([^"\]]*)"?\]/g), ([, key]) => key!)
      const path = origin === "definitions" ? ["$defs", ...below] : below
      return invalid([treeProblem(positionOf(root, path, "key"), path.join("."), `cannot be enforced: ${message}`)])
    }
  })
}

const toCheck = (schema: JsonSchema.JsonSchema): Check => {
  const decodeEvent = Schema.decodeUnknownResult(
    SchemaRepresentation.fromJsonSchemaDocument(
      JsonSchema.fromSchemaDraft2020_12(schema),
      // Whoever starts the process wrote the patterns.
      { patterns: "apply" }
    ) as Schema.Codec<unknown, unknown>,
    { errors: "all", onExcessProperty: "error" }
  )
  return (event) =>
    Result.match(decodeEvent(event), {
      onSuccess: () => [],
      onFailure: ({ issue }) =>
        findings(issue, []).slice(0, maxViolations).map((finding) => ({
          pointer: finding.path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
          message: finding._tag === "Missing"
            ? "is missing"
            : finding._tag === "Unknown"
            ? "is not known to the schema"
            : `expected ${inJson(finding.expected)}, found ${found(event, finding.path)}`
        }))
    })
}

/** What a file calls a table and a list. */
const inJson = (expected: string): string =>
  expected.replaceAll(/\ba table (?:of keys|with)\b/g, (text) => text.endsWith("with") ? "an object with" : "an object")
    .replaceAll(/\ba list\b/g, "an array")

/** Of one event; the others are not told. */
const maxViolations = 20

const found = (event: unknown, path: ReadonlyArray<PropertyKey>): string => {
  const value = path.reduce<unknown>((value, key) => (value as { readonly [key: PropertyKey]: unknown })[key], event)
  if (Array.isArray(value)) return "an array"
  if (typeof value === "object" && value !== null) return "an object"
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
