import { assert, describe, it } from "@effect/vitest"
import { duration, rate } from "../../../src/internal/display/numbers.ts"

describe("duration", () => {
  it("is told in its two largest units", () => {
    const second = 1000
    const [minute, hour, day] = [60 * second, 3600 * second, 86_400 * second]
    const told = [
      -1,
      0,
      999,
      59.9 * second,
      minute,
      3 * minute + 5 * second,
      hour + 119 * second,
      day - 1,
      40 * day + hour
    ]
    assert.deepStrictEqual(told.map(duration), [
      "0s",
      "0s",
      "0s",
      "59s",
      "1m 00s",
      "3m 05s",
      "1h 01m",
      "23h 59m",
      "40d 01h"
    ])
  })
})

describe("rate", () => {
  it("has two digits, or all before the point, and is told per minute when it is low", () => {
    const told = [0, 0.001, 0.05, 0.1, 0.667, 3.14, 42.4, 123.6, 123_456]
    assert.deepStrictEqual(told.map(rate), [
      "0/s",
      "0.06/min",
      "3/min",
      "0.1/s",
      "0.67/s",
      "3.1/s",
      "42/s",
      "124/s",
      "123456/s"
    ])
  })
})
