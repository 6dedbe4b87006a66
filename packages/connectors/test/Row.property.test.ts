import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Row } from "effect-conveyor-connectors"

/** How many leaves a JSON value has: what the cells of its rows must account for. */
const leaves = (json: Schema.Json, isTop = true): number =>
  Array.isArray(json)
    ? isTop ? json.reduce<number>((sum, element) => sum + leavesOfRow(element), 0) : 1
    : leavesOfRow(json)

const leavesOfRow = (json: Schema.Json): number => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return 1
  const values = Object.values(json)
  return values.reduce<number>(
    (sum, value) => sum + (isEmptyObject(value) ? 1 : leavesOfRow(value)),
    0
  )
}

const isEmptyObject = (json: Schema.Json) =>
  typeof json === "object" && json !== null && !Array.isArray(json) && Object.keys(json).length === 0

describe("Row", () => {
  it.prop("drops no leaf of a payload, whatever the names", { payload: Schema.Json }, ({ payload }) => {
    const cells = Row.fromPayload(payload).reduce((sum, row) => sum + row.size, 0)
    assert.strictEqual(cells, leaves(payload))
  })

  it.prop("gives only cells, under names that are not empty", { payload: Schema.Json }, ({ payload }) => {
    for (const row of Row.fromPayload(payload)) {
      for (const [name, cell] of row) {
        assert.notStrictEqual(name, "")
        assert.isTrue(cell === null || ["string", "number", "bigint", "boolean"].includes(typeof cell))
      }
    }
  })
})
