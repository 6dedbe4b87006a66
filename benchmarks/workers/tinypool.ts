// The tasks, as tinypool loads them.
import { Tinypool } from "tinypool"

export { spin } from "./work.ts"

export const echo = (value: unknown): unknown => value
export const bytes = (value: Uint8Array): unknown => Tinypool.move(value as never)
