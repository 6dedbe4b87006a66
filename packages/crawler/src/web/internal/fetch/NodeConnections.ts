import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { LookupAddress, LookupOptions } from "node:dns"
import * as Dns from "node:dns"
import { Agent, Pool } from "undici"
import type { AddressGuard } from "../../AddressGuard.ts"
import type { Lookup } from "../../NodeFetcher.ts"
import { Refusal } from "./refusal.ts"

export interface Settings {
  readonly guard: AddressGuard
  readonly lookup: Lookup | undefined
  readonly maxConnectionsPerOrigin: number
  readonly connectTimeout: Duration.Input
  readonly silenceTimeout: Duration.Input
  readonly maxHeaderBytes: number
  readonly ca: string | undefined
}

/** Connections that are kept, so many to each origin, until the Scope ends. One that idles is closed after four seconds, or as its server says. */
export const connections = (settings: Settings) =>
  Effect.acquireRelease(
    Effect.sync(() => agent(settings)),
    (agent) => Effect.promise(() => agent.destroy())
  )

const agent = (settings: Settings): Agent => {
  const silence = Duration.toMillis(settings.silenceTimeout)
  return new Agent({
    factory: (origin, options) =>
      new Pool(origin, {
        ...options,
        connections: settings.maxConnectionsPerOrigin,
        connect: {
          ...(settings.ca === undefined ? {} : { ca: settings.ca }),
          timeout: Duration.toMillis(settings.connectTimeout),
          // Asked by the socket itself: what is checked is what is connected to.
          lookup: guarded(settings.guard, new URL(origin), settings.lookup ?? Dns.lookup as Lookup)
        }
      }),
    headersTimeout: silence,
    bodyTimeout: silence,
    maxHeaderSize: settings.maxHeaderBytes,
    keepAliveMaxTimeout: 60_000,
    // One answer for each request on a connection is simpler to bound than streams that share one.
    allowH2: false,
    pipelining: 1
  })
}

type Found = (error: NodeJS.ErrnoException | null, address: string | Array<LookupAddress>, family?: number) => void

const guarded =
  (guard: AddressGuard, origin: URL, lookup: Lookup) => (hostname: string, options: LookupOptions, done: Found): void =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, [])
      for (const { address } of addresses) {
        const refusal = guard.refusalOfAddress(origin, address)
        // One is enough: a public name that also has a private address means no good.
        if (refusal !== undefined) return done(new Refusal(refusal), [])
      }
      const [first] = addresses
      if (options.all === true || first === undefined) done(null, [...addresses])
      else done(null, first.address, first.family)
    })
