import { it } from "@effect/vitest"
import { CrawlStore } from "effect-crawler"
import { suite } from "./CrawlStoreSuite.ts"

suite("CrawlStore.memory", CrawlStore.memory, {
  isShared: false,
  size: { depth: 10_000, children: 30_000 },
  it: it.effect
})
