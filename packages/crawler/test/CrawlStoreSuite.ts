import { describe } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { CrawlStore } from "effect-crawler"
import type { Test } from "./CrawlStoreFixtures.ts"
import { frontier } from "./CrawlStoreFrontier.ts"
import { sessions } from "./CrawlStoreSessions.ts"
import { tree } from "./CrawlStoreTree.ts"

/** What is known of a store besides the contract. */
export interface Kind {
  /** Whether several processes may have a crawl open; otherwise the last one has it. */
  readonly isShared: boolean
  /** How deep a chain it is to settle, and how many children to take at once. */
  readonly size: { readonly depth: number; readonly children: number }
  readonly it: (name: string, effect: () => Effect.Effect<void, unknown, Scope.Scope>) => void
}

/** The promises of every store. `make` gives one of a crawl that is new. */
export const suite = (
  name: string,
  make: Effect.Effect<CrawlStore.CrawlStore, unknown, Scope.Scope>,
  { isShared, it, size }: Kind
): void => {
  const test: Test = (name, run) => it(name, () => Effect.flatMap(make, run))
  describe(`${name} keeps the promises of a crawl store`, () => {
    sessions(test, isShared)
    frontier(test, isShared, size.children)
    tree(test, isShared, size.depth)
  })
}
