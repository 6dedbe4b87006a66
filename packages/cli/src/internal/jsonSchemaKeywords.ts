import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Node, positionOf, renderPath } from "../ManifestFile.ts"
import { decodeNode } from "./decodeNode.ts"
import { countOrNone } from "./fileSchema.ts"
import { found, toProblem } from "./schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./treeProblem.ts"

// What Effect makes a schema of takes its document to be valid and passes over what it does not know. So the document is
// checked first: every keyword must be one that is enforced, or one that by its definition says nothing about validity.

const types = ["null", "boolean", "integer", "number", "string", "array", "object"] as const
const primitive = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null]).annotate({
  expected: "text, a number, true, false or null: arrays and objects cannot be compared with"
})
const pattern = Schema.String.annotate({ expected: "a regular expression" }).check(
  Schema.makeFilter((text) => Result.isSuccess(Result.try(() => new RegExp(text, "u"))), {
    expected: "a regular expression of ECMAScript, as with the flag u"
  })
)
const table = Schema.Record(Schema.String, Schema.Unknown)
const list = Schema.NonEmptyArray(Schema.Unknown).annotate({ expected: "a list with at least one schema" })
const names = Schema.Array(Schema.String).annotate({ expected: "a list of property names" })

const Keywords = Schema.Struct({
  $schema: Schema.optionalKey(
    Schema.Literals([
      "https://json-schema.org/draft/2020-12/schema",
      "https://json-schema.org/draft/2020-12/schema#"
    ]).annotate({ expected: "https://json-schema.org/draft/2020-12/schema, the one draft that is read" })
  ),
  $id: Schema.optionalKey(Schema.String),
  $ref: Schema.optionalKey(Schema.String),
  $defs: Schema.optionalKey(table),
  $comment: Schema.optionalKey(Schema.String),
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  default: Schema.optionalKey(Schema.Unknown),
  examples: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  deprecated: Schema.optionalKey(Schema.Boolean),
  readOnly: Schema.optionalKey(Schema.Boolean),
  writeOnly: Schema.optionalKey(Schema.Boolean),
  type: Schema.optionalKey(
    Schema.Union([Schema.Literals(types), Schema.NonEmptyArray(Schema.Literals(types))])
      .annotate({ expected: `one of ${types.join(", ")}, or a list of them` })
  ),
  const: Schema.optionalKey(primitive),
  enum: Schema.optionalKey(Schema.NonEmptyArray(primitive)),
  minLength: Schema.optionalKey(countOrNone),
  maxLength: Schema.optionalKey(countOrNone),
  pattern: Schema.optionalKey(pattern),
  minimum: Schema.optionalKey(Schema.Finite),
  maximum: Schema.optionalKey(Schema.Finite),
  exclusiveMinimum: Schema.optionalKey(Schema.Finite),
  exclusiveMaximum: Schema.optionalKey(Schema.Finite),
  multipleOf: Schema.optionalKey(
    Schema.Finite.check(Schema.makeFilter((n) => n > 0, { expected: "a number above 0" }))
  ),
  properties: Schema.optionalKey(table),
  required: Schema.optionalKey(names),
  additionalProperties: Schema.optionalKey(Schema.Unknown),
  patternProperties: Schema.optionalKey(table),
  propertyNames: Schema.optionalKey(Schema.Unknown),
  minProperties: Schema.optionalKey(countOrNone),
  maxProperties: Schema.optionalKey(countOrNone),
  items: Schema.optionalKey(Schema.Unknown),
  prefixItems: Schema.optionalKey(list),
  minItems: Schema.optionalKey(countOrNone),
  maxItems: Schema.optionalKey(countOrNone),
  uniqueItems: Schema.optionalKey(Schema.Boolean),
  allOf: Schema.optionalKey(list),
  anyOf: Schema.optionalKey(list),
  oneOf: Schema.optionalKey(list)
})

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const one = ["additionalProperties", "propertyNames", "items"]
const listed = ["prefixItems", "allOf", "anyOf", "oneOf"]
const named = ["$defs", "properties", "patternProperties"]

/** Keywords of JSON Schema that would not be enforced. */
const refused = new Map([
  ["format", "is only a note in JSON Schema and would not be checked; use `pattern`, or remove it"],
  ["definitions", "belongs to older drafts; name it $defs"],
  ...[
    "not",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedItems",
    "unevaluatedProperties",
    "additionalItems",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary"
  ].map((keyword) => [keyword, "would not be enforced; remove it"] as const)
])

/** Everything in a document that is not JSON Schema, or would not be enforced. */
export const checkKeywords = (root: Node): ReadonlyArray<TreeProblem> => {
  const problems: Array<TreeProblem> = []

  const visit = (node: Node, path: ReadonlyArray<PropertyKey>): void => {
    if (path.length > 0 && node._tag === "Scalar" && typeof node.value === "boolean") return
    if (node._tag !== "Table") {
      problems.push(treeProblem(node.position, renderPath(path), `expected a schema, found ${found(root, path)}`))
      return
    }
    const strange = Array.from(node.entries.keys()).filter((key) => refused.has(key))
    for (const key of strange) {
      problems.push(treeProblem(
        positionOf(root, [...path, key], "key"),
        renderPath([...path, key]),
        refused.get(key)!
      ))
    }
    // `x-…` is for the author and for other tools, as in a manifest.
    const notes = Array.from(node.entries.keys()).filter((key) => key.startsWith("x-"))
    const decoded = Effect.runSync(Effect.result(decodeNode(Keywords, node, path, new Set([...strange, ...notes]))))
    if (Result.isFailure(decoded)) problems.push(...decoded.failure.map((finding) => toProblem(root, finding)))
    for (const [key, { value }] of node.entries) {
      if (one.includes(key)) visit(value, [...path, key])
      if (listed.includes(key) && value._tag === "List") {
        value.items.forEach((item, index) => visit(item, [...path, key, index]))
      }
      if (named.includes(key) && value._tag === "Table") {
        for (const [name, entry] of value.entries) visit(entry.value, [...path, key, name])
      }
    }
  }

  visit(root, [])
  return problems.sort((a, b) => a.line - b.line || a.column - b.column)
}
