// How long a point of the plane takes to leave: the Mandelbrot set is the points that never do.
/** Whether c lies in the cardioid or in the bulb west of it: the two largest parts of the set, which need no iteration. */
const isInLake = (re: number, im: number): boolean => {
  const im2 = im * im
  const q = (re - 0.25) * (re - 0.25) + im2
  return (re + 1) * (re + 1) + im2 < 0.0625 || q * (q + re - 0.25) < 0.25 * im2
}

/**
 * After how many steps of z → z² + c, beginning with z = c as the first, |z| is above 4; `limit` for a point that does not get
 * there, which is taken to be in the set.
 */
export const escapeTime = (re: number, im: number, limit: number): number => {
  if (isInLake(re, im)) return limit
  let zr = re
  let zi = im
  // A point of the set falls into a cycle, which shows when z equals an earlier z to the last bit. The earlier z is renewed ever more
  // rarely, so that cycles of any length are found.
  let earlierR = 0
  let earlierI = 0
  let sinceRenewal = 0
  let renewals = 0
  let span = 3
  for (let step = 1; step < limit; step++) {
    const zr2 = zr * zr
    const zi2 = zi * zi
    if (zr2 + zi2 > 16) return step
    zi = 2 * zr * zi + im
    zr = zr2 - zi2 + re
    if (zr === earlierR && zi === earlierI) return limit
    if (sinceRenewal === span) {
      earlierR = zr
      earlierI = zi
      sinceRenewal = 0
      if (++renewals % 5 === 0) span *= 2
    }
    sinceRenewal++
  }
  return limit
}
