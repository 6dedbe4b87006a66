import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { DurationText } from "effect-conveyor-connectors"

const millis = (text: string) => Option.getOrUndefined(Option.map(DurationText.parse(text), Duration.toMillis))

describe("DurationText", () => {
  it("reads short forms and Effect's own", () => {
    assert.deepStrictEqual(
      ["500ms", "5s", " 1.5 min ", "2m", "2h", "1d", "1w", "30 seconds", "1 minute", "0s"].map(millis),
      [500, 5_000, 90_000, 120_000, 7_200_000, 86_400_000, 604_800_000, 30_000, 60_000, 0]
    )
  })

  it("reads nothing else", () => {
    assert.deepStrictEqual(
      ["", "5", "s", "-5s", "5 parsecs", "Infinity", "-1 minute", "5s5s"].map(millis),
      Array.from({ length: 8 }, () => undefined)
    )
  })
})
