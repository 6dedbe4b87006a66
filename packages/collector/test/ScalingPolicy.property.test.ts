import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Schema } from "effect"
import * as ScalingPolicy from "../src/ScalingPolicy.ts"
import * as ScalingReplay from "../src/ScalingReplay.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const few = { arbitrary: { runs: 20 } }
const many = { arbitrary: { runs: 1000 } }

const policies = {
  little: () => ScalingPolicy.little(),
  gradient: () => ScalingPolicy.gradient()
}

/** What happened between two samples; the numbers need not agree with each other. */
const Step = Schema.Struct({
  elapsed: int(0, 3000),
  arrivals: int(0, 200),
  departures: int(0, 200),
  busy: int(0, 60),
  depth: int(0, 400)
})
const Steps = Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(60))

const samples = (steps: ReadonlyArray<typeof Step.Type>): ReadonlyArray<ScalingPolicy.Sample> => {
  const totals = { now: 0, arrivals: 0, departures: 0, busyTime: 0, serviceTime: 0 }
  return steps.map(({ arrivals, busy, departures, depth, elapsed }) => {
    totals.now += elapsed
    totals.arrivals += arrivals
    totals.departures += departures
    totals.busyTime += busy * elapsed
    totals.serviceTime += busy * elapsed
    return { ...totals, busy, depth, size: busy, min: 2, max: 50 }
  })
}

const nothingYet = {
  now: 0,
  arrivals: 0,
  departures: 0,
  depth: 0,
  busy: 0,
  size: 0,
  busyTime: 0,
  serviceTime: 0,
  min: 1,
  max: 9
}

const decide = (policy: ScalingPolicy.ScalingPolicy, [first, ...rest]: ReadonlyArray<ScalingPolicy.Sample>) =>
  rest.reduce((decision, sample) => decision.next(sample), policy.start(first ?? nothingYet))

const absurdities = [0, 1e-300, 1e300, NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, -1]
// Those above are numbered from -1 down.
const Absurdity = Schema.Union([int(-absurdities.length, -1), int(0, 1_000_000)])
const Absurd = Schema.Struct({
  now: Absurdity,
  arrivals: Absurdity,
  departures: Absurdity,
  depth: Absurdity,
  busy: Absurdity,
  size: Absurdity,
  busyTime: Absurdity,
  serviceTime: Absurdity,
  min: int(0, 20),
  span: int(0, 100)
})
const Absurds = Schema.Array(Absurd).check(Schema.isMinLength(1), Schema.isMaxLength(30))

const absurdSample = ({ min, span, ...numbers }: typeof Absurd.Type): ScalingPolicy.Sample => {
  const number = (key: keyof typeof numbers) => numbers[key] < 0 ? absurdities[-1 - numbers[key]]! : numbers[key]
  return {
    now: number("now"),
    arrivals: number("arrivals"),
    departures: number("departures"),
    depth: number("depth"),
    busy: number("busy"),
    size: number("size"),
    busyTime: number("busyTime"),
    serviceTime: number("serviceTime"),
    min,
    max: min + span
  }
}

/** A load that chance has no part in; service times of up to a tenth of a second, at most 50 busy on average. */
const Even = Schema.Struct({ service: int(1, 100), load: int(1, 500) })
const rateOf = ({ load, service }: typeof Even.Type) => Math.min(2000, load / 10 / service * 1000)

const random = (profile: ReadonlyArray<ScalingReplay.Phase>, seed: number) =>
  Effect.runSync(Random.withSeed(ScalingReplay.arrivals(profile), seed))
const even = (profile: ReadonlyArray<ScalingReplay.Phase>) => Effect.runSync(ScalingReplay.arrivals(profile, "even"))

/** Loads from one half to a hundred busy consumers, with service times from 1 to 100 ms, which is a tenth of `clearWithin`. */
const randomLoads = [1, 3, 10, 30, 100].flatMap((service) =>
  [0.5, 0.8, 1.4, 2.3, 4.4, 12, 27, 97].map((load) => ({ service, load, rate: load / service * 1000 }))
).filter(({ rate }) => rate >= 5 && rate <= 1000)

describe.each(["little", "gradient"] as const)("ScalingPolicy.%s", (name) => {
  const policy = policies[name]()

  it.prop(
    "law: the size is a whole number within the bounds, whatever it is shown",
    { shown: Absurds },
    ({ shown }) => {
      let decision: ScalingPolicy.Decision | undefined
      for (const sample of shown.map(absurdSample)) {
        decision = decision === undefined ? policy.start(sample) : decision.next(sample)
        assert.isTrue(Number.isInteger(decision.size))
        assert.isTrue(decision.size >= sample.min && decision.size <= sample.max)
      }
    },
    many
  )

  // But a total that grew by 10³⁰⁰ is too much to forget.
  it.prop("law: what was absurd is forgotten within a minute", { shown: Absurds }, ({ shown }) => {
    const confused = ScalingPolicy.make({
      name: "confused",
      initial: () =>
        decide(
          policy,
          shown.map(absurdSample).filter((sample) =>
            Object.values(sample).every((value) => !(value > 1e6 && value < Infinity))
          )
        ),
      decide: (previous, sample) => {
        const decision = previous.next(sample)
        return { state: decision, size: decision.size }
      }
    })
    const { left, points } = ScalingReplay.run({
      policy: confused,
      arrivals: even([{ lasts: "1 minute", rate: 200, service: 50 }]),
      max: 100,
      monitorInterval: 50,
      lasts: 80_000
    })
    assert.isAtLeast(points[58]!.size, 10)
    assert.deepStrictEqual([left, points.at(-1)!.size], [0, 1])
  }, few)

  it.prop(
    "law: a greater backlog never gives a smaller crew",
    { steps: Steps, by: int(1, 300) },
    ({ by, steps }) => {
      const shown = samples(steps)
      const last = shown.at(-1)!
      const before = shown.slice(0, -1)
      assert.isAtLeast(
        decide(policy, [...before, { ...last, depth: last.depth + by }]).size,
        decide(policy, shown).size
      )
    },
    many
  )

  it.prop("law: a sample shown twice says nothing new", { steps: Steps, twice: int(0, 59) }, ({ steps, twice }) => {
    const shown = samples(steps)
    const again = [...shown.slice(0, twice + 1), ...shown.slice(twice, twice + 1), ...shown.slice(twice + 1)]
    assert.strictEqual(decide(policy, again).size, decide(policy, shown).size)
  }, many)

  it.prop("law: an hour without samples does no harm", {
    load: Even,
    meanwhile: Schema.Literals(["goes on", "ends", "hangs"])
  }, ({ load, meanwhile }) => {
    const hour = 3_600_000
    const rate = Math.min(100, rateOf(load))
    const busy = rate * load.service / 1000
    const asleep = ScalingPolicy.make({
      name: "asleep",
      initial: policy.start,
      decide: (previous, sample) => {
        const sleeps = sample.now > 60_000 && sample.now < 60_000 + hour
        const decision = sleeps ? previous : previous.next(sample)
        return { state: decision, size: decision.size }
      }
    })
    const minute = { lasts: "1 minute", rate, service: load.service } as const
    const { left, points } = ScalingReplay.run({
      policy: asleep,
      arrivals: even([minute, { ...minute, lasts: hour, rate: meanwhile === "goes on" ? rate : 0 }, minute]),
      max: 200,
      monitorInterval: 100,
      slowdown: (at) => meanwhile === "hangs" && at >= 59_990 && at < 60_000 + hour ? Infinity : 1,
      pointEvery: "10 seconds",
      lasts: hour + 120_000
    })
    for (const { size, wait } of points.slice(-4)) {
      assert.isTrue(size >= Math.floor(busy) && size <= 1.2 * busy + 4, `${size} for ${busy}`)
      assert.isAtMost(wait, 1000)
    }
    assert.isAtMost(left, busy + 1)
  }, few)

  it.prop(
    "law: an even load settles, and no cool-down has more than one change, of one",
    { load: Even },
    ({ load }) => {
      const arrivals = even([{ lasts: "2 minutes", rate: rateOf(load), service: load.service }])
      const { changes, points } = ScalingReplay.run({ policy, arrivals, max: 200, monitorInterval: 20, lasts: 120_000 })
      const busy = rateOf(load) * load.service / 1000
      const late = changes.filter(({ at }) => at > 60_000)
      assert.isTrue(
        late.every(({ at, from, to }, i) => Math.abs(from - to) === 1 && at >= (late[i - 1]?.at ?? 0) + 10_000)
      )
      assert.isAtLeast(points.at(-1)!.size, busy)
      assert.isAtMost(points.at(-1)!.size, 1.2 * busy + 2)
    },
    few
  )

  it("law: a random load settles, and chance hardly moves the crew", () => {
    const moved = randomLoads.map(({ load, rate, service }, seed) => {
      const arrivals = random([{ lasts: "2 minutes", rate, service }], seed)
      const { changes, points } = ScalingReplay.run({
        policy,
        arrivals,
        max: 1000,
        monitorInterval: 20,
        lasts: 120_000
      })
      const late = changes.filter(({ at }) => at > 60_000)
      for (const change of late) {
        assert.isAtMost(late.filter(({ at }) => at >= change.at && at < change.at + 10_000).length, 3)
      }
      for (const { size } of points.slice(60)) {
        assert.isTrue(size >= load && size <= 1.15 * load + 2 * Math.sqrt(load) + 1, `${load} busy, ${size}`)
      }
      return late.length
    })
    assert.isAtLeast(moved.filter((changes) => changes === 0).length, moved.length / 2)
    // Six cool-downs each.
    assert.isAtMost(moved.reduce((sum, changes) => sum + changes) / moved.length / 6, 0.15)
  })

  it("law: chance does not move a large crew", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const arrivals = random([{ lasts: "2 minutes", rate: 1000, service: 100 }], seed)
      const { changes } = ScalingReplay.run({ policy, arrivals, max: 500, monitorInterval: 20, lasts: 120_000 })
      assert.isAtMost(changes.filter(({ at }) => at > 60_000).length, 1)
    }
  })

  it("law: a greater backlog never gives a smaller crew, at any moment of a load", () => {
    const phase = (rate: number) => ({ lasts: "1 minute", rate, service: 100 }) as const
    const load = random([phase(40), phase(28), phase(48)], 1)
    const watching = ScalingPolicy.make({
      name: "watching",
      initial: policy.start,
      decide: (previous, sample) => {
        const decision = previous.next(sample)
        for (const more of [1, 100, 10_000]) {
          assert.isAtLeast(previous.next({ ...sample, depth: sample.depth + more }).size, decision.size)
        }
        return { state: decision, size: decision.size }
      }
    })
    const { settled } = ScalingReplay.run({
      policy: watching,
      arrivals: load,
      max: 200,
      monitorInterval: 50,
      slowdown: (_, busy) => 1 + busy / 10
    })
    assert.strictEqual(settled, load.length)
  })

  it.prop("law: an idle queue is at the minimum one cool-down after its last event", {
    load: Even,
    min: int(0, 3)
  }, ({ load, min }) => {
    const arrivals = even([{ lasts: "20 seconds", rate: rateOf(load), service: load.service }])
    const { changes, points } = ScalingReplay.run({
      policy,
      arrivals,
      min,
      max: 100,
      monitorInterval: 20,
      pointEvery: 20,
      lasts: 45_000
    })
    const busyUntil = points.findLast(({ busy, depth }) => busy + depth > 0)?.at ?? 0
    assert.strictEqual(points.at(-1)!.size, min)
    assert.isAtMost(changes.at(-1)?.at ?? 0, busyUntil + 10_000 + 40)
  }, few)

  it("law: looks that are rare find the same size", () => {
    const arrivals = random([{ lasts: "2 minutes", rate: 200, service: 50 }], 1)
    const sizes = [10, 50, 200, 1000].map((monitorInterval) =>
      ScalingReplay.run({ policy, arrivals, max: 100, monitorInterval, lasts: 120_000 }).points.at(-1)!.size
    )
    for (const size of sizes) assert.isAtMost(Math.abs(size - 12), 2, sizes.join(" "))
  })
})

describe("ScalingPolicy.little", () => {
  const policy = ScalingPolicy.little()

  it("law: the backlog of a step is gone within 10 seconds", () => {
    for (const [from, to, service] of [[10, 100, 100], [100, 1000, 100], [10, 1000, 10], [1000, 3000, 20]] as const) {
      const phase = (rate: number) => ({ lasts: "30 seconds", rate, service }) as const
      const { longestBacklog } = ScalingReplay.run({
        policy,
        arrivals: even([phase(from), phase(to)]),
        max: 1000,
        lasts: 60_000
      })
      assert.isAtMost(longestBacklog, 10_000, `from ${from} to ${to}`)
    }
  })

  it("law: a lull is not held against the load that follows it", () => {
    for (const [lull, service] of [[120, 100], [600, 100], [120, 1000], [600, 1000]] as const) {
      const phase = (rate: number, seconds: number) => ({ lasts: `${seconds} seconds`, rate, service }) as const
      const { points } = ScalingReplay.run({
        policy,
        arrivals: even([phase(20_000 / service, 30), phase(0, lull), phase(20_000 / service, 15)]),
        max: 200,
        lasts: (45 + lull) * 1000
      })
      const waits = points.slice(30 + lull).map(({ wait }) => wait)
      assert.isAtMost(waits.reduce((sum, wait) => sum + wait) / waits.length, 200, `${lull} seconds`)
    }
  })

  it.prop("law: after a step of the load, events wait no longer than about clearWithin", {
    service: int(1, 300),
    from: int(1, 20),
    times: int(2, 30)
  }, ({ from, service, times }) => {
    const phase = (rate: number) => ({ lasts: "30 seconds", rate, service }) as const
    const rate = Math.min(from, 1000 / times)
    const { points, wait } = ScalingReplay.run({
      policy,
      arrivals: even([phase(rate), phase(rate * times)]),
      max: 1000,
      monitorInterval: 20,
      lasts: 60_000
    })
    assert.isAtMost(wait.max, 1250)
    // And 20 seconds later what waits is begun in half of that time.
    for (const { depth, size } of points.slice(50)) assert.isAtMost(depth * service / size, 500)
  }, few)

  it.prop("law: work that hangs makes the crew grow until each event has a consumer, or to the maximum", {
    load: Even,
    lasts: int(8000, 20_000)
  }, ({ lasts, load }) => {
    const rate = Math.max(5, rateOf(load))
    const arrivals = even([{ lasts: "80 seconds", rate, service: load.service }])
    const { changes, left, points } = ScalingReplay.run({
      policy,
      arrivals,
      max: 60,
      monitorInterval: 20,
      slowdown: (at) => at >= 20_000 && at < 20_000 + lasts ? Infinity : 1,
      lasts: 120_000
    })
    assert.isAtLeast(Math.max(...points.map(({ size }) => size)), Math.min(60, rate * lasts / 1000 * 0.6))
    assert.strictEqual(left, 0)
    assert.strictEqual(points.at(-1)!.size, 1)
    assert.isAbove(changes.length, 1)
  }, few)
})

describe("ScalingPolicy.gradient", () => {
  const policy = ScalingPolicy.gradient()
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
  /** A system downstream that does 10 at once at full speed, and no more per second however many it is given. */
  const saturated = (_: number, busy: number) => Math.max(1, busy / 10)

  it("law: grows from 4 to what the load needs within 150 service times, and mostly within 60, if nothing contends", () => {
    const reached = Array.from({ length: 15 }, (_, seed) => {
      const arrivals = random([{ lasts: "15 seconds", rate: 500, service: 100 }], seed)
      const { points } = ScalingReplay.run({ policy, arrivals, max: 1000, pointEvery: 100, lasts: 15_000 })
      return points.find(({ size }) => size >= 50)?.at ?? Infinity
    })
    assert.isAtMost(Math.max(...reached), 15_000)
    assert.isAtLeast(reached.filter((at) => at <= 6000).length, 12)
  })

  it("law: under an overload the service time keeps to what is tolerated, for however long", () => {
    for (const seed of seeds.slice(0, 4)) {
      const arrivals = random([{ lasts: "5 minutes", rate: 200, service: 100 }], seed)
      const { points, settled } = ScalingReplay.run({
        policy,
        arrivals,
        max: 200,
        monitorInterval: 50,
        slowdown: saturated,
        pointEvery: "10 seconds",
        lasts: 300_000
      })
      const services = points.slice(6).map(({ service }) => service)
      assert.isAtMost(Math.max(...services), 300, `seed ${seed}`)
      const mean = services.reduce((sum, service) => sum + service) / services.length
      assert.isTrue(mean > 110 && mean < 200, `seed ${seed}: ${mean}`)
      // No more than a twentieth of what the system downstream can do is given away.
      assert.isAtLeast(settled, 300 * 100 * 0.95)
    }
  })

  it.prop("law: and so it does when all services take the same time, and depart together", {
    service: int(20, 200)
  }, ({ service }) => {
    const { points } = ScalingReplay.run({
      policy,
      arrivals: even([{ lasts: "1 minute", rate: 20_000 / service, service }]),
      max: 200,
      slowdown: saturated,
      pointEvery: "5 seconds",
      lasts: 60_000
    })
    for (const point of points.slice(5)) assert.isAtMost(point.service, 2.5 * service)
  }, few)

  it("law: a modest overload does not creep up", () => {
    const arrivals = random([{ lasts: "10 minutes", rate: 110, service: 100 }], 1)
    const { points } = ScalingReplay.run({
      policy,
      arrivals,
      max: 200,
      monitorInterval: 50,
      slowdown: saturated,
      pointEvery: "1 minute",
      lasts: 600_000
    })
    for (const { service } of points.slice(1)) assert.isAtMost(service, 225)
  })

  it("law: a limit that is held changes less than once in a cool-down", () => {
    const held = seeds.map((seed) => {
      const arrivals = random([{ lasts: "5 minutes", rate: 200, service: 100 }], seed)
      const { changes } = ScalingReplay.run({ policy, arrivals, max: 200, slowdown: saturated, lasts: 300_000 })
      return changes.filter(({ at }) => at > 60_000).length
    })
    // Twenty-four cool-downs each.
    assert.isAtMost(held.reduce((sum, changes) => sum + changes) / seeds.length, 18)
  })

  it("law: a baseline that became better at a high concurrency is not believed there when contention comes", () => {
    for (const seed of seeds) {
      const arrivals = random([{ lasts: "4 minutes", rate: 200, service: 100 }], seed)
      const { points } = ScalingReplay.run({
        policy,
        arrivals,
        max: 200,
        monitorInterval: 20,
        slowdown: (at, busy) => at < 60_000 ? 1 : at < 120_000 ? 0.5 : Math.max(0.5, busy / 8),
        pointEvery: "10 seconds",
        lasts: 240_000
      })
      const services = points.slice(15).map(({ service }) => service)
      assert.isAtMost(services.reduce((sum, service) => sum + service) / services.length, 200, `seed ${seed}`)
    }
  })

  it("law: what is slower for another reason gets its concurrency back", () => {
    for (const [rate, times, limit] of [[400, 1.6, 300], [400, 1.8, 300], [100, 4, 700]] as const) {
      const waits = seeds.map((seed) => {
        const { points, wait } = ScalingReplay.run({
          policy,
          arrivals: random([{ lasts: "2 minutes", rate, service: 50 }], seed),
          max: 200,
          monitorInterval: 20,
          slowdown: (at) => at > 40_000 ? times : 1,
          lasts: 120_000
        })
        for (const { size } of points.slice(100)) assert.isAtLeast(size, rate * 0.05 * times, `seed ${seed}`)
        return wait.mean
      })
      assert.isAtMost(waits.reduce((sum, wait) => sum + wait) / seeds.length, limit, `${times} times`)
    }
  })

  it("law: work that hangs lowers the limit, and when it goes on the crew is back within 5 seconds", () => {
    const crews = seeds.map((seed) => {
      const { left, points } = ScalingReplay.run({
        policy,
        arrivals: random([{ lasts: "20 seconds", rate: 800, service: 50 }, {
          lasts: "80 seconds",
          rate: 100,
          service: 50
        }], seed),
        max: 200,
        monitorInterval: 20,
        slowdown: (at) => at > 50_000 && at < 65_000 ? Infinity : 1,
        lasts: 110_000
      })
      assert.isAtMost(points[63]!.size, 8, `seed ${seed}`)
      assert.strictEqual(left, 0)
      // Five are busy with what arrives; the others with what arrived meanwhile.
      return points[69]!.size
    })
    assert.isAtLeast(crews.filter((size) => size >= 12).length, seeds.length - 1)
  })

  it("law: an event after a long silence is not taken for work that hangs", () => {
    const arrivals = [
      ...even([{ lasts: "20 seconds", rate: 100, service: 50 }]),
      ...even([{ lasts: "20 seconds", rate: 100, service: 50 }]).map(({ at, service }) => ({
        at: at + 29_000,
        service
      }))
    ]
    const { points } = ScalingReplay.run({ policy, arrivals, max: 200, pointEvery: 100, lasts: 49_000 })
    for (const { size } of points.slice(20)) assert.isAtLeast(size, 4)
  })
})
