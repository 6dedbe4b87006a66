/**
 * A TypeScript or JavaScript file whose exported Layers are run.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { ModuleInvalid } from "./CommandFailed.ts"

/**
 * The Layers of a file, merged.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface LayerModule {
  readonly file: string
  readonly layers: ReadonlyArray<string>
  readonly layer: Layer.Layer<never, unknown, any>
}

/**
 * Tells whether a file is a module, by its extension.
 *
 * @category guards
 * @stability unstable
 * @since 0.1.0
 */
export const isModule = (file: string): boolean => /\.[cm]?[jt]s$/.test(file)

/**
 * Imports a file and takes its exports that are Layers, the default one and those with names.
 *
 * **Details** A later `generation` reads the file again; what it imports is not read again.
 *
 * **Errors** `ModuleInvalid` when it cannot be imported or exports no Layer.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function*(
  file: string,
  generation: number
): Effect.fn.Return<LayerModule, ModuleInvalid> {
  const url = `${pathToFileURL(resolve(file)).href}${generation === 0 ? "" : `?generation=${generation}`}`
  const module = yield* Effect.tryPromise({
    try: () => import(url) as Promise<object>,
    catch: (cause) =>
      new ModuleInvalid({
        file,
        reason: `cannot be imported: ${cause instanceof Error ? cause.message : String(cause)}`
      })
  })
  const layers = Object.entries(module).filter((entry): entry is [string, Layer.Layer<never, unknown, any>] =>
    Layer.isLayer(entry[1])
  )
  const [first, ...others] = new Set(layers.map(([, layer]) => layer))
  if (first === undefined) {
    return yield* new ModuleInvalid({ file, reason: "exports no Layer; export one, such as Conveyor.layer(…)" })
  }
  return { file, layers: layers.map(([name]) => name), layer: Layer.mergeAll(first, ...others) }
})
