// The tasks, as piscina loads them.
import { move } from "piscina"

export { spin } from "./work.ts"

export const echo = (value: unknown): unknown => value
export const bytes = (value: Uint8Array): unknown => move(value)
