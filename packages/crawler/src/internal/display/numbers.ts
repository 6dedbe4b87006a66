// Numbers as people read them at a glance.

/** A span of milliseconds, in its two largest units. */
export const duration = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  const two = (rest: number): string => String(rest).padStart(2, "0")
  if (days > 0) return `${days}d ${two(hours % 24)}h`
  if (hours > 0) return `${hours}h ${two(minutes % 60)}m`
  return minutes > 0 ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`
}

/** A rate per second; less than one in ten seconds as a rate per minute. */
export const rate = (perSecond: number): string =>
  perSecond > 0 && perSecond < 0.1 ? `${significant(perSecond * 60)}/min` : `${significant(perSecond)}/s`

const significant = (value: number): string => value >= 100 ? String(Math.round(value)) : String(+value.toPrecision(2))
