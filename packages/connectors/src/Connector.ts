/**
 * What a connector is to a program that finds it by name: a summary, options that can be decoded from a file, and a constructor.
 *
 * @since 0.1.0
 */
import type * as Consumer from "effect-conveyor/Consumer"
import type * as Producer from "effect-conveyor/Producer"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"

/**
 * The services that connectors may need.
 *
 * **Details** On Node: `NodeServices.layer` and `NodeHttpClient.layerUndici` of `@effect/platform-node`.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Services =
  | FileSystem.FileSystem
  | HttpClient.HttpClient
  | ChildProcessSpawner.ChildProcessSpawner
  | Stdio.Stdio
  | Terminal.Terminal

/**
 * Every typed error of a connector: tagged, with a message for people.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ConnectorFailure extends Error {
  readonly _tag: string
}

/**
 * A loaded connector.
 *
 * **Details** `make` takes what `options` decodes to, and nothing else.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Module<out Made> {
  readonly options: Schema.Codec<unknown, unknown>
  readonly make: (options: unknown) => Made
}

/**
 * A connector that is loaded when it is first needed.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Connector<out Made> {
  readonly type: string
  readonly summary: string
  readonly load: Effect.Effect<Module<Made>>
}

/**
 * A producer that a file can name.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ProducerConnector extends Connector<Producer.Producer<unknown, ConnectorFailure, Services>> {}

/**
 * A consumer that a file can name.
 *
 * **Details** `batch` is how many payloads its lane should give it at once, unless the file says otherwise, if it takes batches;
 * whether it does is told by the consumer made, since options may decide it.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface ConsumerConnector extends Connector<Consumer.Consumer<unknown, ConnectorFailure, Services>> {
  readonly batch?: { readonly size: number } | undefined
}

/**
 * Makes a connector from a function that imports its module.
 *
 * **Gotchas** A module that cannot be imported is a broken installation and dies.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <S extends Schema.Codec<any, any>, Made>(
  type: string,
  summary: string,
  importModule: () => Promise<{ readonly Options: S; readonly make: (options: S["Type"]) => Made }>
): Connector<Made> => ({
  type,
  summary,
  load: Effect.map(Effect.promise(importModule), (module) => ({
    options: module.Options,
    // Safe because `options` is the schema of exactly this function's argument.
    make: (options) => module.make(options as S["Type"])
  }))
})

/**
 * One option of a connector, for people.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface OptionInfo {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly description: string
  readonly default: unknown
}

/**
 * Lists the options that a schema of options accepts.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const describeOptions = (options: Schema.Codec<unknown, unknown>): ReadonlyArray<OptionInfo> => {
  const ast = options.ast
  if (ast._tag !== "Objects") return []
  return ast.propertySignatures.map(({ name, type }) => ({
    name: String(name),
    type: typeText(type),
    required: type.context?.isOptional !== true,
    description: type.context?.annotations?.description ?? "",
    default: type.context?.annotations?.default
  }))
}

const typeText = (ast: SchemaAST.AST): string => {
  const title = ast.annotations?.["title"]
  if (typeof title === "string") return title
  switch (ast._tag) {
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Union":
      return ast.types.map(typeText).join(" | ")
    case "Arrays":
      return `[${ast.rest.map(typeText).join(", ")}, …]`
    case "Objects": {
      const fields = ast.propertySignatures.map(({ name, type }) =>
        `${String(name)}${type.context?.isOptional === true ? "?" : ""}: ${typeText(type)}`
      )
      const others = ast.indexSignatures.map(({ type }) => `NAME: ${typeText(type)}`)
      return `{ ${[...fields, ...others].join(", ")} }`
    }
    case "String":
      return "text"
    default:
      return ast._tag.toLowerCase()
  }
}
