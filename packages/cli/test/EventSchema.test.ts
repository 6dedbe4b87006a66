import { assert, describe, it } from "@effect/vitest"
import { EventSchema } from "conveyor"
import { Result } from "effect"

/** The check of a schema. */
const check = (schema: unknown): EventSchema.Check =>
  Result.getOrThrow(EventSchema.decode("s.json", "json", JSON.stringify(schema)))

const violations = (schema: unknown, event: unknown): ReadonlyArray<string> =>
  check(schema)(event).map(({ message, pointer }) => `${pointer}: ${message}`)

const problems = (text: string): ReadonlyArray<string> =>
  Result.match(EventSchema.decode("s.json", "json", text), {
    onFailure: ({ message }) => message.split("\n"),
    onSuccess: () => []
  })

describe("EventSchema", () => {
  describe("everything", () => {
    it("accepts whatever there is", () => {
      assert.deepStrictEqual([{}, 1, null, []].flatMap(EventSchema.everything), [])
    })
  })

  describe("decode", () => {
    it("makes a check that tells everything that is wrong, and where", () => {
      const schema = {
        $defs: { person: { type: "object", properties: { "a/b": { type: "string" } }, required: ["a/b"] } },
        type: "object",
        properties: {
          id: { type: "integer", minimum: 1 },
          tags: { type: "array", items: { type: "string", maxLength: 3 }, uniqueItems: true },
          who: { $ref: "#/$defs/person" },
          kind: { enum: ["a", 1, null] },
          none: false
        },
        required: ["id", "who"],
        additionalProperties: false
      }
      assert.deepStrictEqual(violations(schema, { id: 1, who: { "a/b": "" }, tags: ["a"], kind: null }), [])
      assert.deepStrictEqual(
        violations(schema, { id: 0.5, tags: ["abcd", 1], who: {}, kind: "b", none: 1, other: 2 }).toSorted(),
        [
          "/id: expected a value greater than or equal to 1, found 0.5",
          "/id: expected an integer, found 0.5",
          "/kind: expected \"a\" or 1 or null, found \"b\"",
          "/none: expected nothing, found 1",
          "/other: is not known to the schema",
          "/tags/0: expected a string with at most 3 code points, found \"abcd\"",
          "/tags/1: expected text, found 1",
          "/who/a~1b: is missing"
        ]
      )
      assert.deepStrictEqual(violations(schema, []), [
        ": expected an object with id, tags, who, kind, none, found an array"
      ])
    })

    it("takes keywords for what they say, and only where they apply", () => {
      assert.deepStrictEqual(violations({ required: ["id"] }, 5), [])
      assert.deepStrictEqual(violations({ required: ["id"] }, {}), ["/id: is missing"])
      assert.deepStrictEqual(violations({ type: ["string", "null"] }, 5), [": expected text or null, found 5"])
      assert.deepStrictEqual(violations({ pattern: "^a" }, "b"), [
        ": expected a string matching the RegExp ^a, found \"b\""
      ])
      assert.deepStrictEqual(
        violations({ anyOf: [{ type: "string" }, { type: "object", properties: { a: { type: "number" } } }] }, {
          a: "x"
        }),
        ["/a: expected a number, found \"x\""]
      )
      const oneOf = { oneOf: [{ type: "number", multipleOf: 5 }, { type: "number", multipleOf: 3 }] }
      assert.deepStrictEqual([5, 9, 15, 7].map((n) => violations(oneOf, n).length), [0, 0, 1, 1])
      assert.deepStrictEqual(violations({ allOf: [{ required: ["a"] }, { required: ["b"] }] }, { a: 1 }), [
        "/b: is missing"
      ])
    })

    it("shows a long value in part, and no more than twenty things", () => {
      const [long] = violations({ type: "number" }, "x".repeat(500))
      assert.isBelow(long!.length, 100)
      assert.lengthOf(
        violations({ items: { type: "number" }, type: "array" }, Array.from({ length: 50 }, () => "x")),
        20
      )
    })

    it("refuses what is no JSON Schema, with its place", () => {
      assert.deepStrictEqual(problems("{\n  \"type\": \"strnig\",\n  \"requierd\": [],\n  \"minimum\": \"5\"\n}"), [
        "s.json:2:11: type: expected one of null, boolean, integer, number, string, array, object, or a list of them, found \"strnig\"",
        "s.json:3:3: unknown key `requierd`, did you mean `required`?",
        "s.json:4:14: minimum: expected a number, found \"5\""
      ])
      for (
        const text of [
          "[]",
          "true",
          "\"x\"",
          "",
          "{\"required\": \"id\"}",
          "{\"pattern\": \"(\"}",
          "{\"multipleOf\": 0}"
        ]
      ) {
        assert.lengthOf(problems(text), 1, text)
      }
    })

    it("refuses what would not be enforced, however deep", () => {
      const wrapped = (schema: object): ReadonlyArray<object> => [
        schema,
        { properties: { a: schema } },
        { items: schema },
        { prefixItems: [true, schema] },
        { additionalProperties: schema },
        { anyOf: [schema] },
        { $defs: { a: { allOf: [schema] } } },
        { propertyNames: schema },
        { patternProperties: { "^a": schema }, additionalProperties: false }
      ]
      const keywords = ["not", "if", "contains", "dependentRequired", "unevaluatedProperties", "format", "$dynamicRef"]
      for (const keyword of keywords) {
        for (const schema of wrapped({ [keyword]: "x" })) {
          const [problem] = problems(JSON.stringify(schema))
          assert.match(
            problem ?? "",
            new RegExp(`${keyword.replace("$", "\\$")}"?: (?:would not be enforced|is only a note)`)
          )
        }
      }
      for (
        const schema of [
          { $ref: "other.json" },
          { $ref: "#" },
          { $ref: "#/$defs/none" },
          { const: {} },
          { patternProperties: { "^a": { type: "string" } } },
          { properties: { a: {} }, additionalProperties: { type: "number" } },
          { $schema: "http://json-schema.org/draft-07/schema#" }
        ]
      ) assert.lengthOf(problems(JSON.stringify(schema)), 1, JSON.stringify(schema))
    })

    it("takes notes for what they are", () => {
      const schema = {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $id: "https://example.org/event",
        $comment: "c",
        title: "t",
        description: "d",
        default: 1,
        examples: [1],
        deprecated: true,
        readOnly: true,
        "x-owner": { not: "a keyword" }
      }
      assert.deepStrictEqual(problems(JSON.stringify(schema)), [])
    })
  })
})
