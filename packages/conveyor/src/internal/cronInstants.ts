import * as Cron from "effect/Cron"
import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/** The same cron in another zone. */
export const withZone = (cron: Cron.Cron, zone: DateTime.TimeZone, onDstOverlap: Cron.DstOverlapPolicy): Cron.Cron =>
  // Not `Cron.make`: whether days and weekdays must both match is not visible in the type, and would be lost.
  Object.assign(Object.create(Object.getPrototypeOf(cron)), cron, { tz: Option.some(zone), onDstOverlap })

/** The first due instant strictly later than `after`, if there is any. */
export const nextOfCron = (cron: Cron.Cron, after: number): number | undefined =>
  // Cron throws when it finds no date.
  Result.getOrUndefined(Result.try(() => Cron.next(cron, after).getTime()))
