import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { type Item, type Registered, TypeId } from "../CrawlItem.ts"
import { ChildFailed } from "../CrawlOutcome.ts"
import type { StoredOutcome } from "../CrawlStore.ts"
import { CrawlStoreError } from "../CrawlStoreError.ts"
import type { Registry } from "./registry.ts"

// Items and what they come to, as JSON text and back.

type Result<A> = Effect.Effect<A, CrawlStoreError>
type Outcome = Exit.Exit<unknown, unknown>

export interface ItemCodec {
  readonly encode: (item: Item) => string
  readonly decode: (stored: { readonly name: string; readonly data: string }) => Result<Item>
  /** What its class's schemas cannot encode becomes a defect that says so. */
  readonly encodeExit: (item: Item, exit: Outcome) => { readonly exit: Outcome; readonly text: string }
  /** That an item failed because a child did. */
  readonly encodeFailedBy: (child: StoredOutcome) => string
  readonly decodeExit: (item: Item, text: string) => Result<Outcome>
}

interface Codecs {
  readonly item: Schema.Codec<Item, unknown>
  readonly exit: Schema.Codec<Outcome, unknown>
}

const codecsOf = ({ options, schema }: Registered): Codecs => ({
  item: Schema.toCodecJson(schema) as Codecs["item"],
  exit: Schema.toCodecJson(
    Schema.Exit(
      (options.success ?? Schema.Void) as Schema.Codec<unknown>,
      (options.failure ?? Schema.Never) as Schema.Codec<unknown>,
      Schema.Defect()
    )
  ) as Codecs["exit"]
})

export const make = (registry: Registry): ItemCodec => {
  const known = new Map<string, Codecs>()
  const of = (registered: Registered): Codecs => {
    const codecs = known.get(registered.name) ?? codecsOf(registered)
    known.set(registered.name, codecs)
    return codecs
  }
  const codecs = (item: Item): Codecs => of(registry.of(item))

  const decode: ItemCodec["decode"] = ({ data, name }) => {
    const registered = registry.named(name)
    if (registered === undefined) {
      return incompatible(
        `the stored crawl has items of class ${name}, for which there is no Layer: provide it to the crawl`
      )
    }
    return Effect.catch(
      Schema.decodeUnknownEffect(of(registered).item)(JSON.parse(data)),
      (cause) => incompatible(`a stored item of class ${name} does not fit its schema any more: ${data}`, cause)
    )
  }

  const decodeExit: ItemCodec["decodeExit"] = (item, text) => {
    const stored = JSON.parse(text)
    if ("failedBy" in stored) {
      return decode(stored.failedBy).pipe(
        Effect.flatMap((child) => decodeExit(child, stored.failedBy.exit)),
        Effect.map((exit) => Exit.fail(new ChildFailed({ item, cause: Exit.isFailure(exit) ? exit.cause : undefined })))
      )
    }
    return Effect.catch(
      Schema.decodeUnknownEffect(codecs(item).exit)(stored),
      (cause) =>
        incompatible(`what a stored item of class ${item[TypeId]} came to does not fit its schemas: ${text}`, cause)
    )
  }

  return {
    decode,
    decodeExit,
    encode: (item) => JSON.stringify(Schema.encodeSync(codecs(item).item)(item)),
    encodeExit: (item, exit) => {
      const { exit: codec } = codecs(item)
      const encoded = Schema.encodeExit(codec)(exit)
      if (Exit.isSuccess(encoded)) return { exit, text: JSON.stringify(encoded.value) }
      const unfit = Exit.die(
        new Error(
          `Crawler: what an item of class ${item[TypeId]} came to does not fit its schemas, and cannot be stored`,
          {
            cause: encoded.cause
          }
        )
      )
      return { exit: unfit, text: JSON.stringify(Schema.encodeSync(codec)(unfit)) }
    },
    encodeFailedBy: ({ data, exit, name }) => JSON.stringify({ failedBy: { name, data, exit } })
  }
}

const incompatible = (message: string, cause?: unknown): Result<never> =>
  Effect.fail(new CrawlStoreError({ reason: "Incompatible", message, cause }))
