/** What a page asks of robots that have read it. */
export interface Directives {
  readonly noindex: boolean
  readonly nofollow: boolean
}

/** Directives whose value follows a colon, as a name of a robot does its own. */
const withValue = new Set(["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"])

/**
 * Reads the content of a robots meta element, or an X-Robots-Tag header. In a header a name with a colon begins what is asked of one
 * robot alone: of that is heard what is asked of `robot`, or of none by name.
 */
export const readDirectives = (text: string, robot: string): Directives => {
  let isForUs = true
  let noindex = false
  let nofollow = false
  for (const part of text.toLowerCase().split(",")) {
    const colon = part.indexOf(":")
    const name = part.slice(0, Math.max(colon, 0)).trim()
    if (colon >= 0 && !withValue.has(name)) isForUs = name === "*" || name === "robots" || name === robot.toLowerCase()
    if (!isForUs) continue
    const directive = (withValue.has(name) ? name : part.slice(colon + 1)).trim()
    noindex ||= directive === "noindex" || directive === "none"
    nofollow ||= directive === "nofollow" || directive === "none"
  }
  return { noindex, nofollow }
}
