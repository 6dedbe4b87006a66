import * as Effect from "effect/Effect"
import type { CrawlStore } from "../CrawlStore.ts"

export const make: Effect.Effect<CrawlStore> = Effect.die("being written")
