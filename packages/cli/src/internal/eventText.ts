import type { Check, Violation } from "../EventSchema.ts"

/** An event out of its text, or what is wrong with it. */
export type Read =
  | { readonly _tag: "Event"; readonly event: unknown }
  | { readonly _tag: "Faulty"; readonly violations: ReadonlyArray<Violation> }

/** Reads JSON; anything may stand in the text. */
export const parse = (text: string): Read => {
  try {
    return { _tag: "Event", event: JSON.parse(text) as unknown }
  } catch (error) {
    return faulty(error instanceof RangeError ? tooDeep : `is not JSON: ${(error as Error).message}`)
  }
}

/** Checks an event; one that is nested deeper than the stack is faulty, and not a defect. */
export const check = (accepts: Check, event: unknown): Read => {
  try {
    const violations = accepts(event)
    return violations.length === 0 ? { _tag: "Event", event } : { _tag: "Faulty", violations }
  } catch (error) {
    if (error instanceof RangeError) return faulty(tooDeep)
    throw error
  }
}

const tooDeep = "is nested too deeply"

const faulty = (message: string): Read => ({ _tag: "Faulty", violations: [{ pointer: "", message }] })
