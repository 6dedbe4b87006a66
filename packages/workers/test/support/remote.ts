import { Effect, Layer, Redacted } from "effect"
import * as NodeRemoteHosts from "effect-workers/NodeRemoteHosts"
import * as NodeTaskHost from "effect-workers/NodeTaskHost"
import type { WorkerHost } from "effect-workers/WorkerHost"

export const secret = Redacted.make("a secret of the tests")

/** Hosts of their own for the workers of a Layer, and the way to them. */
export const through = (
  listen: string,
  workers: Layer.Layer<WorkerHost>,
  options: {
    readonly host?: Partial<NodeTaskHost.Options>
    readonly client?: NodeRemoteHosts.Options
  } = {}
): Layer.Layer<WorkerHost> =>
  Layer.unwrap(
    Effect.map(
      NodeTaskHost.make({ secret, maxWorkers: 16, maxCalls: 4096, ...options.host, listen }),
      ({ address }) => NodeRemoteHosts.layer(address, { secret, ...options.client })
    )
  ).pipe(Layer.provide(workers), Layer.orDie)
