import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Schema, Stream } from "effect"
import { FiberWorkers, TaskModule, TaskQueue } from "effect-workers"
import { TestClock } from "effect/testing"
import { decode } from "fast-png"
import { escapeTime } from "../examples/mandelbrot/escapeTime.ts"
import { paint } from "../examples/mandelbrot/palette.ts"
import { Picture } from "../examples/mandelbrot/Picture.ts"
import { progress } from "../examples/mandelbrot/progress.ts"
import { render, rows } from "../examples/mandelbrot/render.ts"
import { characters, comparison, statistics } from "../examples/mandelbrot/report.ts"
import { greatest, Row, rowValues } from "../examples/mandelbrot/Row.ts"
import tasks, { Tasks } from "../examples/mandelbrot/tasks.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// Ten points across the edge of the set, of which it is known what mcmandelbrot says.
const re = -0.5332179372197309
const span = 0.0022400000000000002
const row = new Row({ left: re - span, right: re + span, im: 0.535867264573991, width: 10, iterations: 1000 })

describe("the escape time", () => {
  it("of ten points is that of mcmandelbrot", () => {
    const times = Array.from(
      { length: 10 },
      (_, i) => escapeTime(row.left + i * (row.right - row.left) / 9, row.im, 999)
    )
    assert.deepStrictEqual(times, [270, 75, 83, 125, 367, 999, 999, 999, 999, 999])
  })

  const withoutShortCut = (re: number, im: number, limit: number): number => {
    let [zr, zi, step] = [re, im, 1]
    for (; step < limit && zr * zr + zi * zi <= 16; step++) [zr, zi] = [zr * zr - zi * zi + re, 2 * zr * zi + im]
    return step
  }

  it.prop(
    "law: is what iterating without a short cut comes to",
    { east: int(-21_000, 6000), north: int(-12_000, 12_000) },
    ({ east, north }) => {
      const [re, im] = [east / 10_000, north / 10_000]
      assert.strictEqual(escapeTime(re, im, 1000), withoutShortCut(re, im, 1000))
    },
    { arbitrary: { runs: 2000 } }
  )

  it("is that also just outside of what it takes for granted", () => {
    for (let i = 0; i < 200; i++) {
      const angle = 2 * Math.PI * i / 200
      const bulb = [-1 + 0.255 * Math.cos(angle), 0.255 * Math.sin(angle)] as const
      const radius = 0.51 * (1 - Math.cos(angle))
      const cardioid = [0.25 + radius * Math.cos(angle), radius * Math.sin(angle)] as const
      for (const point of [bulb, cardioid]) {
        assert.strictEqual(escapeTime(...point, 1000), withoutShortCut(...point, 1000))
      }
    }
  })
})

describe("the values of a row", () => {
  it("are those of mcmandelbrot, where only three of the five samples are taken, as it did", () => {
    assert.deepStrictEqual([...rowValues(row, "three")], [756, 232, 273, 300, 4995, 4995, 4995, 4995, 4995, 4995])
  })

  it("are sums over the centre and four corners", () => {
    assert.deepStrictEqual([...rowValues(row)], [967, 384, 498, 596, 4995, 4995, 4995, 4995, 4995, 4995])
  })
})

describe("a picture", () => {
  const overview = { width: 2000, cr: -0.63, ci: 0, crPM: 1.4, ciPM: 1.2, iterations: 2000 }

  it("has as many rows as keep the proportions", () => {
    assert.strictEqual(new Picture(overview).height, 1714)
    assert.strictEqual([...new Picture(overview).rows()].length, 1714)
    assert.strictEqual(new Picture({ ...overview, ciPM: 1e-9 }).height, 1)
  })

  it("reaches from the top to the bottom, and from the left to the right", () => {
    const rows = [...new Picture({ ...overview, ci: 0.5, ciPM: 1.4, width: 3 }).rows()]
    assert.deepStrictEqual(rows.map(({ im }) => im), [1.9, 0.5, 0.5 - 1.4])
    for (const { left, right } of rows) assert.deepStrictEqual([left, right], [-0.63 - 1.4, -0.63 + 1.4])
  })

  it("is resolvable as long as its points are different numbers", () => {
    assert.isTrue(new Picture({ ...overview, crPM: 3e-16 }).isResolvable)
    assert.isFalse(new Picture({ ...overview, crPM: 2e-16 }).isResolvable)
    assert.isFalse(new Picture({ ...overview, ciPM: 2e-16 }).isResolvable)
  })

  it("may be a single row of a single point", () => {
    const [only, ...rest] = new Picture({ ...overview, width: 1, ciPM: 1.4 }).rows()
    assert.lengthOf(rest, 0)
    assert.lengthOf(rowValues(only!), 1)
  })
})

describe("the palette", () => {
  const colour = (value: number, steepness = 3) => [...paint(Uint32Array.of(value), 1000, steepness)]

  it("paints the set black and what escapes at once white", () => {
    assert.deepStrictEqual(colour(greatest(1000)), [0, 0, 0])
    assert.deepStrictEqual(colour(0), [255, 255, 255])
  })

  it("goes over red and orange", () => {
    const most = greatest(1000)
    assert.deepStrictEqual([0.9, 0.5, 0.1].map((share) => colour(share * most, 1)), [[68, 0, 0], [255, 85, 0], [
      255,
      255,
      222
    ]])
  })

  it("shows more values in the middle, the steeper it is", () => {
    const distance = (steepness: number) =>
      Math.abs(colour(greatest(1000) / 4, steepness)[1]! - colour(greatest(1000) / 2, steepness)[1]!)
    assert.isAbove(distance(1), distance(3))
    assert.isAbove(distance(3), distance(9))
  })
})

describe("rows on workers", () => {
  const picture = new Picture({ width: 16, cr: -0.63, ci: 0.5, crPM: 1.4, ciPM: 1.4, iterations: 50 })

  it.effect("make the picture that one after the other makes", () =>
    Effect.gen(function*() {
      const { calls, pixels, png } = yield* render(picture, { workers: 2, steepness: 3 })
      const expected = [...picture.rows()].flatMap((row) => [...paint(rowValues(row), 50, 3)])
      const { channels, data, height, width } = decode(png)
      assert.deepStrictEqual({ calls, pixels, channels, height, width }, {
        calls: 16,
        pixels: 256,
        channels: 3,
        height: 16,
        width: 16
      })
      assert.deepStrictEqual([...data], expected)
    }).pipe(Effect.provide(FiberWorkers.layer(tasks))))

  it.effect("tell how many there are, one more each time", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const onRow = (rows: number) => Effect.sync(() => void told.push(rows))
      yield* render(picture, { workers: 2, steepness: 3, onRow })
      assert.deepStrictEqual(told, Array.from({ length: 16 }, (_, i) => i + 1))
    }).pipe(Effect.provide(FiberWorkers.layer(tasks))))

  it.effect("keep their order, and are at most five for each worker under way", () =>
    Effect.gen(function*() {
      const [first, ten] = [Latch.makeUnsafe(), Latch.makeUnsafe()]
      let begun = 0
      let taken = 0
      const waiting = TaskModule.make(
        Tasks,
        Tasks.toLayer({
          // All others are done before the first is.
          row: Effect.fnUntraced(function*({ row }) {
            if (++begun === 10) yield* ten.open
            if (row.im === 1.9) yield* first.await
            return { pixels: new Uint8Array(Float64Array.of(row.im).buffer), millis: 0 }
          }),
          png: () => Effect.die("not asked for")
        })
      )
      const queue = yield* Effect.provide(TaskQueue.make(Tasks, { concurrency: 100 }), FiberWorkers.layer(waiting))
      const drawn = yield* rows(queue, picture, { workers: 2, steepness: 3 }).pipe(
        Stream.tap(() => Effect.sync(() => taken++)),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* ten.await
      for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
      const soFar = { begun, taken }
      yield* first.open
      const order = (yield* Fiber.join(drawn)).map(({ pixels }) => new Float64Array(pixels.buffer)[0])
      assert.deepStrictEqual(soFar, { begun: 10, taken: 0 })
      assert.deepStrictEqual(order, [...picture.rows()].map(({ im }) => im))
    }))
})

describe("the progress of a picture", () => {
  const told = (isTTY: boolean) =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const onRow = progress(400, { isTTY, write: (text) => written.push(text) > 0 })
      for (let row = 1; row <= 400; row++) {
        yield* onRow(row)
        yield* TestClock.adjust("1 millis")
      }
      return written
    })

  it.effect("is drawn over itself ten times a second, and gone in the end", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* told(true), [
        "\r0 %, 1 of 400 rows\u001b[K",
        "\r25 %, 101 of 400 rows\u001b[K",
        "\r50 %, 201 of 400 rows\u001b[K",
        "\r75 %, 301 of 400 rows\u001b[K",
        "\r\u001b[K"
      ])
    }))

  it.effect("is silent where there is no terminal", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* told(false), [])
    }))
})

describe("the report of a picture", () => {
  const rendering = {
    png: new Uint8Array(),
    workers: 2,
    calls: 100,
    pixels: 5_000_000,
    seconds: 2,
    secondsInWorkers: 3
  }

  it("says what was computed, and what it cost beside", () => {
    assert.strictEqual(
      statistics(rendering, "threads"),
      `Computed 5000000 pixels in 2.00 seconds (2.5 million a second).
Run stats, with 2 threads running 100 calls:
  in workers  3.00 s (75 % of their time)
  overhead    10.000 ms a call`
    )
  })

  it("compares", () => {
    const one = { ...rendering, workers: 1, seconds: 3.8 }
    assert.strictEqual(comparison(one, rendering), "1 worker: 3.80 s, 2 workers: 2.00 s, 1.90 times as fast")
  })

  it("draws every other row in characters", () => {
    const rows = [[0, 0, 0, 255, 85, 0, 255, 255, 255], [0, 0, 0], [255, 255, 255, 0, 0, 0]]
    assert.strictEqual(characters(rows.map((row) => Uint8Array.from(row))), "@+\n @")
  })
})
