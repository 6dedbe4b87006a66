import * as Duration from "effect/Duration"
import type { Options } from "../CollectorQueue.ts"
import * as ScalingPolicy from "../ScalingPolicy.ts"

export const defaults = {
  autoscale: true,
  minConsumers: 1,
  maxConsumers: 100,
  wipMargin: 0.15,
  monitorInterval: "10 millis",
  reportInterval: 0,
  avgLoadInterval: "60 seconds",
  metricsCollectorWindowSize: "60 seconds",
  eventServiceDataWindowSize: 500,
  metricsWarmupInterval: "3 seconds",
  measured: true,
  queueType: "fifo",
  defaultPriority: 100,
  capacity: 1024,
  overflow: "suspend",
  keyConcurrency: 1,
  consumerShutdownTimeout: "10 seconds",
  logging: true
} as const

/** The shortest span that rates can be taken of. */
const minWindow = Duration.seconds(5)

/** A queue's options with every default filled in. */
export interface Settings {
  readonly minConsumers: number
  readonly maxConsumers: number
  /** Nothing if the crew does not size itself. */
  readonly scaling: ScalingPolicy.ScalingPolicy | undefined
  readonly monitorInterval: Duration.Duration
  /** Nothing if metrics are not reported. */
  readonly reportInterval: Duration.Duration | undefined
  readonly avgLoadInterval: Duration.Duration
  readonly window: Duration.Duration
  readonly samples: number
  readonly warmup: Duration.Duration
  readonly measured: boolean
  readonly queueType: "fifo" | "lifo" | "priority"
  readonly defaultPriority: number
  readonly ageEvery: Duration.Duration | undefined
  readonly capacity: number | "unbounded"
  readonly overflow: "suspend" | "dropNewest" | "dropOldest"
  readonly keyed: { readonly by: (payload: any) => unknown; readonly concurrency: number | "unbounded" } | undefined
  readonly consumerShutdownTimeout: Duration.Duration
  readonly logging: boolean
}

/** Fills in defaults and refuses what is out of range: in code a wrong option is a bug. */
export const resolve = (name: string, options: Options<any, any>): Settings => {
  const check = (holds: boolean, option: string, expected: string, got: unknown): void => {
    if (!holds) throw new RangeError(`CollectorQueue ${name}: ${option} must be ${expected}, got ${String(got)}`)
  }
  const count = (option: string, value: number, least = 1) =>
    check(Number.isSafeInteger(value) && value >= least, option, `a whole number >= ${least}`, value)
  const span = (
    option: keyof Options<any> & keyof typeof defaults,
    accepts: (millis: number) => boolean,
    expected: string
  ) => {
    const given = (options[option] ?? defaults[option]) as Duration.Input
    const duration = Duration.fromInputUnsafe(given)
    check(
      accepts(Duration.toMillis(duration)),
      option,
      expected,
      typeof given === "number" ? `${given} millis` : Duration.format(duration)
    )
    return duration
  }
  const positive = (millis: number) => millis > 0 && Number.isFinite(millis)

  const {
    autoscale = defaults.autoscale,
    capacity = defaults.capacity,
    defaultPriority = defaults.defaultPriority,
    eventServiceDataWindowSize: samples = defaults.eventServiceDataWindowSize,
    keyed,
    logging = defaults.logging,
    maxConsumers = Math.max(defaults.maxConsumers, options.minConsumers ?? 0),
    measured = defaults.measured,
    minConsumers = defaults.minConsumers,
    overflow = defaults.overflow,
    queueType = defaults.queueType,
    wipMargin = defaults.wipMargin
  } = options
  check(name.length > 0, "name", "not empty", `"${name}"`)
  count("minConsumers", minConsumers)
  count("maxConsumers", maxConsumers)
  check(maxConsumers >= minConsumers, "maxConsumers", `at least minConsumers (${minConsumers})`, maxConsumers)
  check(wipMargin >= 0 && wipMargin <= 1, "wipMargin", "between 0 and 1", wipMargin)
  check(
    options.scaling === undefined || options.wipMargin === undefined,
    "wipMargin",
    "absent, because scaling is given: it is an option of ScalingPolicy.little",
    options.wipMargin
  )
  check(measured || !autoscale, "measured", "true, unless autoscale is false", measured)
  if (capacity !== "unbounded") count("capacity", capacity)
  count("eventServiceDataWindowSize", samples)
  check(Number.isFinite(defaultPriority), "defaultPriority", "a finite number", defaultPriority)
  for (const option of ["defaultPriority", "ageEvery"] as const) {
    check(
      options[option] === undefined || queueType === "priority",
      option,
      `absent, because queueType is "${queueType}"`,
      options[option]
    )
  }
  check(
    options.ageEvery === undefined || positive(Duration.toMillis(options.ageEvery)),
    "ageEvery",
    "> 0",
    options.ageEvery
  )
  const keyConcurrency = keyed?.concurrency ?? defaults.keyConcurrency
  if (keyConcurrency !== "unbounded") count("keyed.concurrency", keyConcurrency)
  const reportInterval = span("reportInterval", (millis) => millis >= 0, ">= 0")
  return {
    minConsumers,
    maxConsumers,
    scaling: autoscale ? options.scaling ?? ScalingPolicy.little({ wipMargin }) : undefined,
    monitorInterval: span("monitorInterval", positive, "> 0"),
    reportInterval: positive(Duration.toMillis(reportInterval)) ? reportInterval : undefined,
    avgLoadInterval: span("avgLoadInterval", positive, "> 0"),
    window: span(
      "metricsCollectorWindowSize",
      (millis) => millis >= Duration.toMillis(minWindow) && Number.isFinite(millis),
      "at least 5 seconds"
    ),
    samples,
    warmup: span("metricsWarmupInterval", (millis) => millis >= 0, ">= 0"),
    measured,
    queueType,
    defaultPriority,
    ageEvery: options.ageEvery === undefined ? undefined : Duration.fromInputUnsafe(options.ageEvery),
    capacity,
    overflow,
    keyed: keyed === undefined ? undefined : { by: keyed.by, concurrency: keyConcurrency },
    consumerShutdownTimeout: span("consumerShutdownTimeout", (millis) => millis >= 0, ">= 0"),
    logging
  }
}
