import { type CollectorPlan, type ConveyorPlan, Manifest, type ManifestFile } from "conveyor"
import { Effect } from "effect"

interface Options {
  readonly format?: ManifestFile.Format
  readonly environment?: { readonly [name: string]: string | undefined }
}

const plansOf = (text: string, options: Options) =>
  Effect.mapError(
    Manifest.decode({ file: "c.yaml", format: "yaml", environment: {}, ...options, text }),
    (error) => error.message
  )

/** Decodes a text with conveyors; its problems are given as they are printed. */
export const decode = (
  text: string,
  options: Options = {}
): Effect.Effect<ReadonlyArray<ConveyorPlan.ConveyorPlan>, string> =>
  Effect.map(plansOf(text, options), ({ conveyors }) => conveyors)

/** Decodes a text with collectors. */
export const decodeCollectors = (
  text: string,
  options: Options = {}
): Effect.Effect<ReadonlyArray<CollectorPlan.CollectorPlan>, string> =>
  Effect.map(plansOf(text, options), ({ collectors }) => collectors)

/** The problems of a text, line by line; none when it has none. */
export const problemsOf = (text: string, options?: Options): Effect.Effect<ReadonlyArray<string>> =>
  Effect.match(decode(text, options), { onFailure: (message) => message.split("\n"), onSuccess: () => [] })

/** A text with one conveyor that has these keys beside a producer and the console. */
export const withKeys = (keys: string): string =>
  `conveyors:\n  host:\n    producer: { type: host }\n    consumers: { console: {} }\n${
    keys.split("\n").map((line) => `    ${line}\n`).join("")
  }`
