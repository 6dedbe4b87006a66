/**
 * Where a collector listens: a host and a port.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import { BlockList, isIPv4, isIPv6 } from "node:net"

/**
 * A host, which may be a name, and a port; port 0 is any free one.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * What is expected where an address is, for messages.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const expected = "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"

/**
 * Where a collector listens unless it is told.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults: ListenAddress = { host: "127.0.0.1", port: 8080 }

/**
 * Reads `HOST:PORT`; an address of IPv6 stands in brackets.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const parse = (text: string): Option.Option<ListenAddress> => {
  const [, v6, other, digits] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || (v6 !== undefined && !isIPv6(v6))) return Option.none()
  return Option.some({ host: v6 ?? other!, port })
}

/**
 * Writes an address as {@link parse} reads it.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const format = ({ host, port }: ListenAddress): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`

/**
 * Tells whether only this machine can reach an address: of names, `localhost` alone is known to be such.
 *
 * @category predicates
 * @stability unstable
 * @since 0.1.0
 */
export const isLoopback = ({ host }: ListenAddress): boolean =>
  isIPv4(host)
    ? loopback.check(host, "ipv4")
    : isIPv6(host)
    ? loopback.check(host, "ipv6")
    : host.toLowerCase() === "localhost"

const loopback = new BlockList()
loopback.addSubnet("127.0.0.0", 8, "ipv4")
loopback.addAddress("::1", "ipv6")
