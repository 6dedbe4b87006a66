import type * as Context from "effect/Context"
import { find, type Item, type Registered, TypeId } from "../CrawlItem.ts"

/** The classes whose Layers a crawl has. */
export interface Registry {
  /** What is done with an item. Throws if that is not known. */
  readonly of: (item: Item) => Registered
  readonly named: (name: string) => Registered | undefined
}

export const make = (context: Context.Context<never>): Registry => {
  const registry = new Map<string, Registered>()
  const named = (name: string) => {
    const known = registry.get(name) ?? find(context, name)
    if (known !== undefined) registry.set(name, known)
    return known
  }
  return {
    named,
    of: (item) => {
      const known = named(item[TypeId])
      if (known !== undefined) return known
      throw new Error(`Crawler: there is no Layer for item class ${item[TypeId]}; provide it to the crawl`)
    }
  }
}
