import { distance } from "fastest-levenshtein"

/** What was probably meant: the nearest candidate, unless it differs too much. */
export const suggestion = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  // The distance is quadratic in the length, and no key that exists is this long.
  if (word.length > 64) return undefined
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) =>
      distance <= (candidate.length < 4 ? 1 : Math.max(2, Math.floor(candidate.length / 3)))
    )
    .sort((a, b) => a.distance - b.distance)
  return nearest?.candidate
}
