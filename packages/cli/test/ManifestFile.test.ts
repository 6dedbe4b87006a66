import { assert, describe, it } from "@effect/vitest"
import { ManifestFile } from "conveyor"
import { Result, Schema } from "effect"

const parse = (format: ManifestFile.Format, text: string) => ManifestFile.parse("file", format, text)
const tree = (format: ManifestFile.Format, text: string) => Result.getOrThrow(parse(format, text))
const problems = (format: ManifestFile.Format, text: string) => {
  const result = parse(format, text)
  assert(Result.isFailure(result), `${text.slice(0, 50)} was parsed`)
  return result.failure.map(({ column, line, message }) => `${line}:${column}: ${message}`)
}

const yaml = `a:
  b: 5
  "c d": [x, { y: true }]
`
const toml = `[a]
b = 5
"c d" = ["x", { y = true }]
`
const json = `{
  "a": { "b": 5, "c d": ["x", { "y": true }] } }`

describe("ManifestFile", () => {
  describe("formatOf", () => {
    it("goes by the extension, whatever its case", () => {
      assert.deepStrictEqual(
        ["a.yaml", "b.YML", "c.json", "d.toml", "e.ts", "yaml", "f.yaml.bak"].map(ManifestFile.formatOf),
        ["yaml", "yaml", "json", "toml", undefined, undefined, undefined]
      )
    })
  })

  describe("parse", () => {
    it("reads the same from each format", () => {
      const value = { a: { b: 5, "c d": ["x", { y: true }] } }
      assert.deepStrictEqual(ManifestFile.toValue(tree("yaml", yaml)), value)
      assert.deepStrictEqual(ManifestFile.toValue(tree("toml", toml)), value)
      assert.deepStrictEqual(ManifestFile.toValue(tree("json", json)), value)
    })

    it("knows where keys and values stand", () => {
      const place = (format: ManifestFile.Format, text: string, of: "key" | "value", ...path: Array<PropertyKey>) => {
        const { column, line } = ManifestFile.positionOf(tree(format, text), path, of)
        return `${line}:${column}`
      }
      assert.strictEqual(place("yaml", yaml, "key", "a", "b"), "2:3")
      assert.strictEqual(place("yaml", yaml, "value", "a", "b"), "2:6")
      assert.strictEqual(place("yaml", yaml, "value", "a", "c d", 1, "y"), "3:19")
      assert.strictEqual(place("toml", toml, "key", "a", "b"), "2:1")
      assert.strictEqual(place("toml", toml, "value", "a", "b"), "2:5")
      assert.strictEqual(place("json", json, "value", "a", "b"), "2:15")
    })

    it("puts what is missing where it is missing from", () => {
      assert.deepStrictEqual(ManifestFile.positionOf(tree("yaml", yaml), ["a", "zzz"], "value"), { line: 1, column: 1 })
    })

    it("merges anchors, what stands in the table itself first", () => {
      const text = "x: &x { a: 1, b: 1 }\ny:\n  <<: *x\n  b: 2\nz:\n  <<: [*x, { c: 3 }]\n"
      const { y, z } = ManifestFile.toValue(tree("yaml", text)) as Record<string, unknown>
      assert.deepStrictEqual([y, z], [{ a: 1, b: 2 }, { a: 1, b: 1, c: 3 }])
    })

    it("refuses keys given twice, in each format", () => {
      assert.deepStrictEqual(problems("yaml", "a: 1\nb: 2\na: 3\n"), ["3:1: has the key `a` twice"])
      assert.deepStrictEqual(problems("json", "{\"a\": 1, \"a\": 2}"), ["1:10: has the key `a` twice"])
      assert.lengthOf(problems("toml", "a = 1\na = 2\n"), 1)
    })

    it("tells several syntax errors at once, each with its place", () => {
      assert.deepStrictEqual(
        problems("yaml", "a: [1\nb: 'x\n").map((problem) => /^\d+:\d+/.exec(problem)?.[0]).length > 1,
        true
      )
      assert.match(problems("toml", "a = 1\nb = = 2\n")[0]!, /^2:5: /)
    })

    it("refuses JSON that is not strict", () => {
      assert.match(problems("json", "{\"a\": hello}")[0]!, /^1:7: is not JSON/)
      assert.match(problems("json", "{'a': 1}")[0]!, /is not JSON/)
      assert.match(problems("json", "{\"a\": 1,}")[0]!, /is not JSON/)
      assert.match(problems("json", "# no\n{\"a\": 1}")[0]!, /is not JSON/)
    })

    it("refuses a second document and tags that nobody knows", () => {
      assert.match(problems("yaml", "a: 1\n---\nb: 2\n")[0]!, /^2:1: a second document/)
      assert.match(problems("yaml", "a: !secret b\n")[0]!, /^1:4: .*quote the text/)
    })

    it("says that a file is empty", () => {
      for (const text of ["", "# nothing\n", "---\n", "null\n"]) {
        assert.match(problems("yaml", text)[0]!, /is empty/)
      }
      assert.match(problems("toml", "# nothing\n")[0]!, /is empty/)
    })

    it("refuses anchors that multiply", () => {
      const bomb = [
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
        ...Array.from(
          { length: 9 },
          (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 10 }, () => `*a${i}`).join(", ")}]`
        )
      ].join("\n")
      const all = problems("yaml", bomb)
      assert.lengthOf(all, 1)
      assert.match(all[0]!, /more than 50000 values/)
    })

    it("refuses an anchor inside itself", () => {
      assert.match(problems("yaml", "a: &a [*a]\n")[0]!, /more than 64 levels|not set before it/)
    })

    it("refuses what is nested too deeply, in each format", () => {
      assert.lengthOf(problems("json", `${"[".repeat(100)}${"]".repeat(100)}`), 1)
      assert.lengthOf(problems("toml", `a = ${"[".repeat(100)}${"]".repeat(100)}`), 1)
      assert.lengthOf(problems("toml", `a = ${"[".repeat(50_000)}`), 1)
    })

    it("refuses a text that is too large unread", () => {
      assert.match(problems("yaml", "a: 1\n".repeat(60_000))[0]!, /is larger than/)
    })

    it("takes a key named as what every object has for a key", () => {
      const value = ManifestFile.toValue(tree("yaml", "__proto__: 1\nconstructor: 2\n")) as object
      assert.deepStrictEqual(Object.keys(value), ["__proto__", "constructor"])
    })

    const format = Schema.Literals(["yaml", "json", "toml"])

    it.prop("gives a tree or problems for any text", { format, text: Schema.String }, ({ format, text }) => {
      assert.isTrue(Result.isResult(parse(format, text)))
    })

    const pieces = Schema.Array(
      Schema.Literals([
        "a",
        ":",
        " ",
        "\n",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "=",
        "&x ",
        "*x",
        "<<",
        "#",
        "|",
        "\t",
        "?",
        "!",
        ",",
        "."
      ])
    )

    it.prop("gives a tree or problems for any heap of syntax", { format, pieces }, ({ format, pieces }) => {
      const result = parse(format, pieces.join(""))
      if (Result.isFailure(result)) {
        for (const { column, line } of result.failure) assert.isTrue(line >= 1 && column >= 1)
      }
    })

    it.prop("reads any JSON back, through YAML too", { value: Schema.Json }, ({ value }) => {
      const document = { value }
      const text = JSON.stringify(document)
      assert.deepStrictEqual(ManifestFile.toValue(tree("json", text)), JSON.parse(text))
      assert.deepStrictEqual(ManifestFile.toValue(tree("yaml", text)), JSON.parse(text))
    })
  })
})
