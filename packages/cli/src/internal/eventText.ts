import type { Check, Violation } from "../EventSchema.ts"

/** An event out of its text, or what is wrong with it. */
export type Read =
  | { readonly _tag: "Event"; readonly event: unknown }
  | { readonly _tag: "Faulty"; readonly violations: ReadonlyArray<Violation> }

/** Levels of arrays and objects in an event: what connectors write in full, with one for the record around it. */
export const maxLevels = 63

/** Reads JSON; anything may stand in the text. */
export const parse = (text: string): Read => {
  try {
    return { _tag: "Event", event: JSON.parse(text) as unknown }
  } catch (error) {
    return faulty(`is not JSON: ${(error as Error).message}`)
  }
}

/** Checks an event. */
export const check = (accepts: Check, event: unknown): Read => {
  if (isDeeper(event, maxLevels)) return faulty(`has more than ${maxLevels} levels`)
  const violations = accepts(event)
  return violations.length === 0 ? { _tag: "Event", event } : { _tag: "Faulty", violations }
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" && value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

const faulty = (message: string): Read => ({ _tag: "Faulty", violations: [{ pointer: "", message }] })
