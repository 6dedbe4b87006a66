import type { Reason } from "../../FetchError.ts"
import { Refusal } from "./refusal.ts"
import type { Problem } from "./target.ts"

/** How far an exchange had come. */
export type Phase = "connecting" | "asking" | "receiving"

const whatToDo: Partial<Record<Reason, string>> = {
  UnknownHost: "there is no such host; check the name",
  DnsFailed: "the name could not be looked up now; try again later",
  ConnectionRefused: "nobody listens there; check the port, or try again later",
  ConnectionReset: "the connection was closed before the answer had begun; try again later",
  Unreachable: "there is no way to the host; try again later",
  ConnectTimeout: "there was no connection within connectTimeout; try again later",
  Tls: "no secure connection came about; check the certificate, or whether the port speaks TLS",
  Stalled: "nothing arrived for longer than silenceTimeout; try again later",
  BadResponse: "what answered does not speak HTTP/1.1 as it is written",
  HeadersTooLarge: "the headers are larger than maxHeaderBytes",
  Truncated: "the connection ended before the body did; try again later"
}

const reasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: "UnknownHost",
  ENODATA: "UnknownHost",
  ECONNREFUSED: "ConnectionRefused",
  ENETUNREACH: "Unreachable",
  EHOSTUNREACH: "Unreachable",
  ENETDOWN: "Unreachable",
  EHOSTDOWN: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  EACCES: "Unreachable",
  EPROTO: "Tls",
  UND_ERR_CONNECT_TIMEOUT: "ConnectTimeout",
  UND_ERR_HEADERS_TIMEOUT: "Stalled",
  UND_ERR_BODY_TIMEOUT: "Stalled",
  UND_ERR_HEADERS_OVERFLOW: "HeadersTooLarge",
  HPE_HEADER_OVERFLOW: "HeadersTooLarge"
}

/** What ended the connection, by how far it had come: a reset in the middle of a body is another thing than one instead of an answer. */
const ends: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNABORTED",
  "UND_ERR_SOCKET",
  "UND_ERR_DESTROYED",
  "UND_ERR_CLOSED",
  "UND_ERR_ABORTED",
  "HPE_INVALID_EOF_STATE"
])

/** What undici says of a server that answers unasked, upgrades unasked, or continues what was complete. */
const misbehaviour: ReadonlySet<string> = new Set(["bad response", "bad upgrade"])

const tls = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERROR_IN_|INVALID_CA)/

/** What a failure of the sockets, the look-up or the parser below means. */
export const failure = (cause: unknown, phase: Phase): Problem => {
  if (cause instanceof Refusal) return { reason: "PrivateAddress", detail: cause.message }
  const { code, message } = described(cause)
  const reason = code === "UND_ERR_SOCKET" && misbehaviour.has(message) ? "BadResponse" : reasonOf(code, phase)
  const hint = whatToDo[reason]
  return { reason, detail: hint === undefined ? message : `${hint} (${message})` }
}

const reasonOf = (code: string, phase: Phase): Reason => {
  const known = reasons[code]
  if (known !== undefined) return known
  if (ends.has(code)) return phase === "receiving" ? "Truncated" : "ConnectionReset"
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return phase === "receiving" ? "Truncated" : "BadResponse"
  if (code === "ETIMEDOUT") return phase === "connecting" ? "ConnectTimeout" : "Stalled"
  if (code.startsWith("EAI_")) return "DnsFailed"
  if (tls.test(code)) return "Tls"
  return phase === "connecting" ? "Unreachable" : "BadResponse"
}

/** Several addresses that were tried give one error, which has the reason in those it holds. */
const described = (cause: unknown): { readonly code: string; readonly message: string } => {
  if (!(cause instanceof Error)) return { code: "", message: String(cause) }
  if (cause instanceof AggregateError && cause.errors.length > 0) return described(cause.errors[0])
  const code = "code" in cause ? String(cause.code) : ""
  return { code, message: cause.message === "" ? code : cause.message }
}
