import { globSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const read = (path: string): string => readFileSync(`${root}${path}`, "utf8")

interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin?: Record<string, string>
  readonly scripts?: Record<string, string>
  readonly workspaces?: ReadonlyArray<string>
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

export const manifest = (folder: string): Manifest => JSON.parse(read(`${folder}package.json`))

/** Paths from the root, sorted; nothing that is installed or built. */
export const files = (pattern: string): ReadonlyArray<string> =>
  globSync(pattern, { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] }).toSorted()

export const packages: ReadonlyArray<{ readonly folder: string; readonly manifest: Manifest }> = readdirSync(
  `${root}packages`
).map((name) => ({ folder: `packages/${name}/`, manifest: manifest(`packages/${name}/`) }))

/** What users can import: everything in a package but its internals, its barrel and its executable. */
export const publicModules = (folder: string): ReadonlyArray<string> =>
  files(`${folder}src/**/*.ts`).filter((path) =>
    !/\/internal\//.test(path) && !path.endsWith("/src/index.ts") && !path.endsWith("/src/bin.ts")
  )
