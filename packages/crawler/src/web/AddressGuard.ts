/**
 * Keeps a crawl on the public internet: what it must not connect to, and what of that it may.
 *
 * A page can link, redirect or, by its DNS, point to whatever it likes: the router's settings, the credentials that clouds hand out at
 * 169.254.169.254. A guard decides by the address that is about to be connected to, so that no name can be one thing when it is checked and another when it is used.
 *
 * **What a private start URL opens.** A crawl that begins at `http://localhost:3000` or `http://192.168.0.7/` may ask exactly that host at exactly that
 * port, under the name or number given, whatever it resolves to; nothing else at this machine or in its network. A start URL counts as private by how it is written alone: an address that is not public,
 * `localhost`, a name without a dot, or one under `.localhost`, `.local`, `.internal`, `.lan`, `.test` or `.home.arpa`. A public name that resolves to a private address
 * opens nothing, for its owner decides what it resolves to: name it in `allowPrivate`.
 *
 * @since 0.1.0
 */
import ipaddr from "ipaddr.js"

/**
 * What a guard lets through beside the public internet.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** Where the crawl begins. Private ones open their own host and port. Defaults to none. */
  readonly startUrls?: ReadonlyArray<string | URL> | undefined
  /**
   * URLs whose hosts and ports may be asked whatever they resolve to; `true` is all addresses but those at which clouds hand out
   * credentials, which have to be named. Defaults to `false`.
   */
  readonly allowPrivate?: boolean | ReadonlyArray<string | URL> | undefined
}

/**
 * Says what must not be connected to, and why.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface AddressGuard {
  /** Before a look-up: what is wrong with the URL, if its host is an address. */
  readonly refusalOfUrl: (url: URL) => string | undefined
  /** After it: what is wrong with an address that the host of the URL resolves to. */
  readonly refusalOfAddress: (url: URL, address: string) => string | undefined
}

/**
 * Makes a guard.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = ({ allowPrivate = false, startUrls = [] }: Options = {}): AddressGuard => {
  const named = typeof allowPrivate === "boolean" ? [] : allowPrivate.map((url) => placeOf(url, "allowPrivate"))
  const started = startUrls.filter((url) => isPrivateName(parsed(url, "startUrls").hostname))
    .map((url) => placeOf(url, "startUrls"))
  const open: ReadonlySet<string> = new Set([...named, ...started])

  const refusalOfAddress = (url: URL, address: string): string | undefined => {
    const kind = kindOf(address)
    if (kind === undefined || open.has(place(url))) return undefined
    if (allowPrivate === true && !isMetadata(address)) return undefined
    const host = unbracketed(url.hostname)
    return `${host === address ? address : `${host} resolves to ${address}, which`} is ${kind}; expected a public ` +
      `address: to fetch it all the same, name ${url.origin} in allowPrivate`
  }
  return {
    refusalOfAddress,
    refusalOfUrl: (url) => isAddress(url.hostname) ? refusalOfAddress(url, unbracketed(url.hostname)) : undefined
  }
}

/**
 * What kind of address one is that is not of the public internet, in words; undefined for one that is.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const kindOf = (address: string): string | undefined => {
  if (!ipaddr.isValid(address)) return "no address"
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return kindOfRange(parsed.range())
  const embedded = embeddedIPv4(parsed)
  if (embedded !== undefined) return kindOf(embedded)
  const kind = kindOfRange(parsed.range())
  // Of what no registry has a name for, only this prefix is routed on the internet. IPv4-compatible addresses are not in it.
  return kind === undefined && (parsed.parts[0]! & 0xe000) !== 0x2000 ? "outside the global unicast range" : kind
}

const kindOfRange = (range: string): string | undefined =>
  range === "unicast" ? undefined : rangeNames[range] ?? `in the range "${range}"`

const rangeNames: Readonly<Record<string, string>> = {
  private: "a private address",
  uniqueLocal: "a private address",
  loopback: "this machine",
  linkLocal: "a link-local address",
  carrierGradeNat: "a carrier's private address",
  unspecified: "the unspecified address",
  multicast: "a multicast address",
  broadcast: "the broadcast address",
  reserved: "a reserved address",
  benchmarking: "a benchmarking address"
}

/** The IPv4 address that a mapped one, or one translated by a well-known NAT64 prefix, ends up at. 6to4 and Teredo are refused whole. */
const embeddedIPv4 = ({ parts }: { readonly parts: ReadonlyArray<number> }): string | undefined => {
  const prefix = parts.slice(0, 6).join(":")
  if (prefix !== mapped && prefix !== nat64) return undefined
  const [high, low] = [parts[6]!, parts[7]!]
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".")
}

const mapped = [0, 0, 0, 0, 0, 0xffff].join(":")
const nat64 = [0x64, 0xff9b, 0, 0, 0, 0].join(":")

const isMetadata = (address: string): boolean => {
  const parsed = ipaddr.parse(address)
  const plain = parsed instanceof ipaddr.IPv4 ? undefined : embeddedIPv4(parsed)
  return metadata.has(plain ?? parsed.toString())
}

// Amazon, Azure, Google and most others; Amazon for containers and over IPv6; Alibaba; Oracle.
const metadata: ReadonlySet<string> = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "100.100.100.200",
  "192.0.0.192"
])

const privateName = /^(?:[^.]+|(?:.*\.)?(?:localhost|local|internal|lan|test|home\.arpa))\.?$/

const isPrivateName = (hostname: string): boolean =>
  isAddress(hostname) ? kindOf(unbracketed(hostname)) !== undefined : privateName.test(hostname)

const isAddress = (hostname: string): boolean =>
  hostname.startsWith("[") || ipaddr.IPv4.isValidFourPartDecimal(hostname)

const unbracketed = (hostname: string): string => hostname.startsWith("[") ? hostname.slice(1, -1) : hostname

const place = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port === "" ? protocol === "https:" ? "443" : "80" : port}`

const placeOf = (url: string | URL, option: string): string => place(parsed(url, option))

const parsed = (url: string | URL, option: string): URL => {
  const parsed = URL.parse(String(url))
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new RangeError(`AddressGuard.make: ${option} must hold http or https URLs, got ${url}`)
  }
  return parsed
}
