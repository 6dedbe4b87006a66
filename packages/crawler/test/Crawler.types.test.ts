import { describe, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, type Exit, type Layer, Schema, type Scope } from "effect"
import { Crawler, CrawlItem, type CrawlOutcome } from "effect-crawler"

class Http extends Context.Service<Http, { readonly get: (url: string) => Effect.Effect<string> }>()("types/Http") {}
class Page extends CrawlItem.Class<Page>()("Page", { url: Schema.String }, {
  success: Schema.Finite,
  failure: Schema.Literals(["gone", "forbidden"])
}) {}
class Image extends CrawlItem.Class<Image>()("Image", { url: Schema.String }) {}

const pageLayer = Page.toLayer({
  process: ({ url }, crawl) => Effect.as(crawl.enqueue(new Page({ url }), new Image({ url })), url.length)
})
const imageLayer = Image.toLayer({
  process: Effect.fnUntraced(function*({ url }, crawl) {
    const { get } = yield* Http
    yield* crawl.enqueue(new Page({ url: yield* get(url) }))
  })
})

describe("types of a crawl", () => {
  it("require the Layer of each class of its roots", () => {
    const made = Crawler.make([new Page({ url: "" }), new Image({ url: "" })])
    expectTypeOf(made).toEqualTypeOf<
      Effect.Effect<Crawler.Crawl<Page | Image>, never, Page | Image | Scope.Scope>
    >()
    const run = Crawler.run([new Page({ url: "" })])
    expectTypeOf(run).toEqualTypeOf<Effect.Effect<CrawlOutcome.CrawlReport<Page>, never, Page>>()
    // @ts-expect-error there is no Layer for pages
    const unprovided: Effect.Effect<unknown> = run
    // @ts-expect-error the Layer of images is not that of pages
    const wronglyProvided: Effect.Effect<unknown, never, Http> = run.pipe(Effect.provide(Image.toLayer({
      process: () => Effect.void
    })))
    void [unprovided, wronglyProvided]
  })

  it("require the Layers of classes whose items a process enqueues, but for its own, and what it needs itself", () => {
    expectTypeOf(pageLayer).toEqualTypeOf<Layer.Layer<Page, never, Image>>()
    expectTypeOf(imageLayer).toEqualTypeOf<Layer.Layer<Image, never, Http | Page>>()
    // @ts-expect-error pages enqueue images, whose Layer is missing
    const missing: Effect.Effect<unknown> = Crawler.run([new Page({ url: "" })]).pipe(Effect.provide(pageLayer))
    void missing
  })

  it("leave no requirement among classes that enqueue each other", () => {
    expectTypeOf(CrawlItem.layers(pageLayer, imageLayer)).toEqualTypeOf<Layer.Layer<Page | Image, never, Http>>()
    const alone = Image.toLayer({ process: () => Effect.void })
    expectTypeOf(CrawlItem.layers(pageLayer, alone)).toEqualTypeOf<Layer.Layer<Page | Image>>()
    expectTypeOf(Crawler.run([new Page({ url: "" })]).pipe(Effect.provide(CrawlItem.layers(pageLayer, alone))))
      .toEqualTypeOf<Effect.Effect<CrawlOutcome.CrawlReport<Page>>>()
  })

  it("pass on what making a behaviour fails with and needs, and keep its Scope", () => {
    const layer = Image.toLayer(Effect.gen(function*() {
      const { get } = yield* Http
      yield* Effect.acquireRelease(Effect.void, () => Effect.void)
      if ((yield* get("")) === "") return yield* Effect.fail("no network" as const)
      return { process: () => Effect.void }
    }))
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Image, "no network", Http>>()
    expectTypeOf(CrawlItem.layers(pageLayer, layer)).toEqualTypeOf<Layer.Layer<Page | Image, "no network", Http>>()
  })

  it("refuse a process or a hook that gives or fails with something else than the class", () => {
    // @ts-expect-error a page comes to a number
    void (() => Page.toLayer({ process: () => Effect.succeed("text") }))
    // @ts-expect-error a page is gone or forbidden
    void (() => Page.toLayer({ process: () => Effect.fail("lost") }))
    // @ts-expect-error an image cannot fail
    void (() => Image.toLayer({ process: () => Effect.fail("gone") }))
    void (() =>
      Page.toLayer({
        process: () => Effect.succeed(1),
        // @ts-expect-error the hook of a page gives a number too
        afterChildren: () => Effect.succeed("text")
      }))
    Page.toLayer({
      process: () => Effect.fail("gone"),
      afterChildren: (page, { children, own }) => {
        expectTypeOf(page).toEqualTypeOf<Page>()
        expectTypeOf(own).toEqualTypeOf<Exit.Exit<number, "gone" | "forbidden">>()
        expectTypeOf(children).toEqualTypeOf<ReadonlyArray<CrawlItem.ChildOutcome>>()
        return own
      }
    })
  })

  it("give the roots' exits the types of their classes", () => {
    type Roots = CrawlOutcome.CrawlReport<Page>["roots"]
    expectTypeOf<Roots[number]["exit"]>().toEqualTypeOf<
      Exit.Exit<number, "gone" | "forbidden" | CrawlOutcome.ChildFailed>
    >()
    expectTypeOf<Roots[number]["item"]>().toEqualTypeOf<Page>()
    expectTypeOf<CrawlItem.Success<Image>>().toEqualTypeOf<void>()
    expectTypeOf<CrawlItem.Failure<Image>>().toEqualTypeOf<never>()
  })

  it("give the options of a class its fields, and its retries its failures", () => {
    const keyed = CrawlItem.Class<never>()("Keyed", { url: Schema.String }, {
      key: (item) => {
        expectTypeOf(item).toEqualTypeOf<{ readonly url: string }>()
        return item.url
      }
    })
    // @ts-expect-error the key of a page without a title
    void CrawlItem.Class<never>()("Wrong", { url: Schema.String }, { key: ({ title }) => title })
    void keyed
  })
})
