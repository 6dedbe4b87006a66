/** Computes for so many milliseconds, and tells how many they were. */
export const spin = (millis: number): number => {
  const from = performance.now()
  let now = from
  while (now - from < millis) now = performance.now()
  return now - from
}
