export * as Consumer from "./Consumer.ts"
export * as Producer from "./Producer.ts"
export * as Tick from "./Tick.ts"
