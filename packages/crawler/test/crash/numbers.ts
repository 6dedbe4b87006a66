import { Effect, Exit, Schema } from "effect"
import { CrawlItem } from "effect-crawler"

// A tree whose items are the numbers below a total: n is the parent of 4n + 1 to 4n + 4. Some fail, some die, and two of three fold up what
// their children came to.

const fields = { n: Schema.Finite, total: Schema.Finite }
const comesTo = { success: Schema.Finite, failure: Schema.String }

export class Sum extends CrawlItem.Class<Sum>()("Sum", fields, { ...comesTo, trackOverall: true }) {}
export class Leaf extends CrawlItem.Class<Leaf>()("Leaf", fields, comesTo) {}

const itemOf = (n: number, total: number) => n % 3 === 0 ? new Leaf({ n, total }) : new Sum({ n, total })
export const root = (total: number) => new Sum({ n: 0, total })

/** What is done with the numbers; each takes some time. */
export const layer = (each: Effect.Effect<void>) => {
  const process = Effect.fnUntraced(function*({ n, total }: Sum | Leaf, crawl: CrawlItem.Processing) {
    const children = [1, 2, 3, 4].map((i) => 4 * n + i).filter((child) => child < total)
    yield* each
    yield* crawl.enqueue(...children.map((child) => itemOf(child, total)))
    if (n % 97 === 13) return yield* Effect.fail(`${n} fails`)
    if (n % 1009 === 5) return yield* Effect.die(new Error(`${n} dies`))
    return n
  })
  return CrawlItem.layers(
    Sum.toLayer({
      process,
      afterChildren: ({ n }, { children, own }) => {
        if (Exit.isFailure(own)) return Effect.fail(`${n} is not known`)
        return Effect.succeed(
          children.reduce((sum, { exit }) => Exit.isSuccess(exit) ? sum + Number(exit.value) : sum, own.value)
        )
      }
    }),
    Leaf.toLayer({ process })
  )
}
