/** Where a host of workers is. */
export type Address =
  | { readonly scheme: "tcp" | "tls"; readonly host: string; readonly port: number }
  | { readonly scheme: "ws" | "wss"; readonly host: string; readonly port: number; readonly path: string }
  | { readonly scheme: "unix"; readonly path: string }

/** What is expected where an address is, for messages. */
export const expected =
  "tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT or unix:///PATH, such as tcp://127.0.0.1:7000"

const network =
  /^(?<scheme>tcp|tls|wss?):\/\/(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?(?<path>\/[!-~]*)?$/

/** Reads an address. A WebSocket may do without a port, which is then 80 or 443, and may have a path. */
export const parse = (text: string): Address | undefined => {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { scheme: "unix", path }
  const { name, path: tail, port: digits, scheme, v6 } = network.exec(text)?.groups ?? {}
  const host = v6 ?? name
  if (host === undefined) return undefined
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && port > 65_535) return undefined
  if (scheme === "ws" || scheme === "wss") {
    return { scheme, host, port: port ?? (scheme === "ws" ? 80 : 443), path: tail ?? "/" }
  }
  if (port === undefined || tail !== undefined) return undefined
  return { scheme: scheme === "tls" ? "tls" : "tcp", host, port }
}

/** Writes an address as `parse` reads it. */
export const format = (address: Address): string => {
  if (address.scheme === "unix") return `unix://${address.path}`
  const host = address.host.includes(":") ? `[${address.host}]` : address.host
  const path = "path" in address && address.path !== "/" ? address.path : ""
  return `${address.scheme}://${host}:${address.port}${path}`
}

/** Whether only this machine can reach it: of names, `localhost` alone is known to be such. */
export const isLocal = (address: Address): boolean =>
  address.scheme === "unix" || /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(address.host)

/** Whether what crosses is encrypted. */
export const isEncrypted = ({ scheme }: Address): boolean => scheme === "tls" || scheme === "wss"
