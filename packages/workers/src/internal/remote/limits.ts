import * as Duration from "effect/Duration"
import type { Limits } from "./framed.ts"

/** What both ends of a connection may be told about it. */
export interface LimitOptions {
  readonly maxFrameBytes?: number | undefined
  readonly maxWaitingBytes?: number | undefined
  readonly heartbeatInterval?: Duration.Input | undefined
  readonly lostAfter?: Duration.Input | undefined
}

export const defaults = {
  maxFrameBytes: 64 * 1024 * 1024,
  maxWaitingBytes: 256 * 1024 * 1024,
  heartbeatInterval: "5 seconds",
  lostAfter: "15 seconds"
} as const

/** A whole number of an option, or a defect that names it. */
export const count = (where: string, option: string, value: number, least: number): number => {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RangeError(`${where}: ${option} must be a whole number >= ${least}, got ${value}`)
}

/** A length of time of an option, or a defect that names it. */
export const span = (where: string, option: string, value: Duration.Input): Duration.Duration => {
  const duration = Duration.fromInputUnsafe(value)
  if (Duration.isFinite(duration) && Duration.toMillis(duration) > 0) return duration
  throw new RangeError(`${where}: ${option} must be > 0 and finite, got ${Duration.format(duration)}`)
}

/** The length of a frame is a number of four bytes. */
const largestFrame = 2 ** 31 - 1

export const limitsOf = (where: string, options: LimitOptions): Limits => {
  const maxFrameBytes = count(where, "maxFrameBytes", options.maxFrameBytes ?? defaults.maxFrameBytes, 1024)
  if (maxFrameBytes > largestFrame) {
    throw new RangeError(`${where}: maxFrameBytes must be <= ${largestFrame}, got ${maxFrameBytes}`)
  }
  const heartbeatInterval = span(where, "heartbeatInterval", options.heartbeatInterval ?? defaults.heartbeatInterval)
  const lostAfter = span(where, "lostAfter", options.lostAfter ?? defaults.lostAfter)
  if (Duration.isLessThan(lostAfter, heartbeatInterval)) {
    throw new RangeError(
      `${where}: lostAfter must be >= heartbeatInterval, ${Duration.format(heartbeatInterval)}, got ${
        Duration.format(lostAfter)
      }`
    )
  }
  return {
    maxFrameBytes,
    maxWaitingBytes: count(
      where,
      "maxWaitingBytes",
      options.maxWaitingBytes ?? Math.max(defaults.maxWaitingBytes, maxFrameBytes),
      maxFrameBytes
    ),
    heartbeatInterval,
    maxMissed: Math.ceil(Duration.toMillis(lostAfter) / Duration.toMillis(heartbeatInterval))
  }
}
