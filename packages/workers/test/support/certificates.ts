import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Redacted, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"

/** A certificate with its key, as PEM and as files. */
interface Certificate {
  readonly cert: string
  readonly key: Redacted.Redacted
  readonly files: { readonly cert: string; readonly key: string }
}

export interface Authority {
  readonly ca: string
  readonly file: string
  /** Signs a certificate for a name. */
  readonly sign: (name: string) => Certificate
}

/** An authority of its own, in a folder that goes with the Scope. */
export const makeAuthority: Effect.Effect<Authority, never, Scope.Scope> = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const path = (name: string) => `${folder}/${name}`
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2")
  return {
    ca: readFileSync(path("ca.pem"), "utf8"),
    file: path("ca.pem"),
    sign: (name: string): Certificate => {
      const [cert, key, request, extensions] = ["pem", "key", "csr", "ext"].map((kind) => `${name}.${kind}`) as [
        string,
        string,
        string,
        string
      ]
      writeFileSync(path(extensions), `subjectAltName=DNS:${name},IP:127.0.0.1\n`)
      openssl("req", ...newKey, "-keyout", key, "-out", request, "-subj", `/CN=${name}`)
      const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
      openssl("x509", "-req", "-in", request, ...authority, "-out", cert, "-days", "2", "-extfile", extensions)
      return {
        cert: readFileSync(path(cert), "utf8"),
        key: Redacted.make(readFileSync(path(key), "utf8")),
        files: { cert: path(cert), key: path(key) }
      }
    }
  }
}).pipe(Effect.provide(NodeServices.layer), Effect.orDie)
