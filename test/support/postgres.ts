import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

/** Where the server's programs are: Debian keeps them out of the PATH, by version. */
const programs = (): string | undefined => {
  const debian = "/usr/lib/postgresql"
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...versions.map((version) => join(debian, version, "bin"))
  ]
  return folders.find((folder) => ["initdb", "postgres"].every((program) => existsSync(join(folder, program))))
}

export const isPostgresInstalled = programs() !== undefined

/** The server refuses to run as root: then it runs as the user that its package makes. */
const user = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })

export interface Postgres {
  readonly port: number
  readonly username: string
  readonly database: string
  /** Ends the server, at once and as in a crash, and starts it again. */
  readonly restart: () => Promise<void>
  /** Ends the server, and deletes all it has written. */
  readonly stop: () => Promise<void>
}

/** Starts a PostgreSQL server of its own, with an empty database, on a free port of this machine. Commits wait for the disk, as anywhere. */
export const startPostgres = async (): Promise<Postgres> => {
  const bin = programs()
  if (bin === undefined) throw new Error("there is no PostgreSQL on this machine: sudo apt-get install postgresql")
  const folder = mkdtempSync(join(tmpdir(), "postgres-"))
  const as = { ...user(), cwd: folder, env: { ...process.env, LC_ALL: "C", TZ: "UTC" } }
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid!)
  const data = join(folder, "data")
  const initdb = ["-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"]
  execFileSync(join(bin, "initdb"), initdb, { ...as, stdio: "ignore" })
  const port = await freePort()
  const begin = async () => {
    const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder], {
      ...as,
      stdio: ["ignore", "ignore", "pipe"]
    })
    const ended = once(server, "exit")
    await new Promise<void>((resolve, reject) => {
      let log = ""
      server.once("exit", () => reject(new Error(`postgres did not start:\n${log}`)))
      server.stderr.on("data", (chunk) => {
        log = `${log}${chunk}`.slice(-4000)
        if (log.includes("database system is ready to accept connections")) resolve()
      })
    })
    return { server, ended }
  }
  let running = await begin()
  // What a test that is killed leaves behind would stay for good.
  const killed = () => running.server.kill("SIGQUIT")
  process.once("exit", killed)
  const end = async () => {
    running.server.kill("SIGQUIT")
    await running.ended
  }
  return {
    port,
    username: "test",
    database: "postgres",
    restart: async () => {
      await end()
      running = await begin()
    },
    stop: async () => {
      await end()
      process.off("exit", killed)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
