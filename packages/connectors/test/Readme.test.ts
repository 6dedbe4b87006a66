import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connector, Connectors } from "effect-conveyor-connectors"
import { readFileSync } from "node:fs"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")

const cells = (option: Connector.OptionInfo) =>
  [
    `\`${option.name}\``,
    option.type.replaceAll("|", "\\|"),
    option.required ? "required" : option.default === undefined ? "–" : `\`${JSON.stringify(option.default)}\``,
    option.description
  ].join(" | ")

/** The rows of the table of options; an option that two connectors share stands there once. */
const rows = Effect.gen(function*() {
  const connectorsOf = new Map<string, Array<string>>()
  for (const [kind, connectors] of Object.entries({ producer: Connectors.producers, consumer: Connectors.consumers })) {
    for (const connector of Object.values<Connector.Connector<unknown>>(connectors)) {
      const { options } = yield* connector.load
      for (const option of Connector.describeOptions(options)) {
        const key = `${kind} | ${cells(option)}`
        connectorsOf.set(key, [...connectorsOf.get(key) ?? [], `\`${connector.type}\``])
      }
    }
  }
  return Array.from(connectorsOf, ([row, types]) => `| ${types.join(", ")} ${row} |`)
})

describe("README", () => {
  it.effect("lists every option with its default", () =>
    Effect.gen(function*() {
      const [, table = ""] = readme.split(/\n\| connector .*\n.*\n/)
      const written = table.split("\n\n")[0]!.split("\n").map((line) => line.replaceAll(/ +/g, " "))
      assert.deepStrictEqual(written, yield* rows)
    }))
})
