import { inspect } from "node:util"

/** What was thrown, with its stack and its causes: as Node prints it. */
export const errorText = (error: unknown): string =>
  (typeof error === "string" ? error : inspect(error)).slice(0, longest)

/** Characters. */
const longest = 16_384
