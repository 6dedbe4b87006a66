// Instants on a grid: base + n · interval, in whole milliseconds. Each is computed from the base, never from the previous one, so
// nothing accumulates. Exact as long as instants stay below 2⁵³: then the rounding of a quotient never crosses an integer.

/** The first instant of the grid that is strictly later than `after`, and not earlier than `least`. */
export const nextOnGrid = (base: number, interval: number, least: number, after: number): number => {
  // The grid holds whole milliseconds only, so "later than 999.5" and "later than 999" are the same.
  const whole = Math.floor(after)
  return whole < least ? least : base + (Math.floor((whole - base) / interval) + 1) * interval
}

/** The last instant of the grid that is not later than `until`. */
export const lastOnGrid = (base: number, interval: number, until: number): number =>
  base + Math.floor((Math.floor(until) - base) / interval) * interval
