import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { manifest, packages, publicModules, root } from "./support/repository.ts"

interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

const oldestNode = "22.19.0"

const specifiers = packages.flatMap((it) => [
  it.manifest.name,
  ...publicModules(it.folder).map((path) =>
    `${it.manifest.name}/${path.slice(`${it.folder}src/`.length, -".ts".length)}`
  )
])

// The packages as a stranger gets them: packed, installed beside nothing else, on the oldest Node they say they run on.
describe("published packages", () => {
  const project = mkdtempSync(join(tmpdir(), "conveyor-published-"))
  const bin = join(project, "node_modules", ".bin")
  const run = (command: string, ...args: ReadonlyArray<string>): string =>
    execFileSync(command, args, {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, NODE_OPTIONS: "" }
    })
  let packed: ReadonlyArray<Packed> = []

  beforeAll(() => {
    execFileSync("tsc", ["-b"], { cwd: root })
    const folders = packages.map(({ folder }) => `./${folder}`)
    packed = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", project, ...folders], {
        cwd: root,
        encoding: "utf8"
      })
    )
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ private: true, type: "module", allowScripts: { node: true } })
    )
    run(
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      `node@${oldestNode}`,
      ...packed.map(({ filename }) => `./${filename}`)
    )
  }, 600_000)

  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it("hold nothing that has no source any more", () => {
    const stale = packed.flatMap(({ files, name }) => {
      const folder = packages.find((it) => it.manifest.name === name)!.folder
      return files.map(({ path }) => path).filter((path) =>
        path.startsWith("dist/") && path !== "dist/.tsbuildinfo" &&
        !existsSync(`${root}${folder}${path.replace("dist/", "src/").replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, ".ts")}`)
      ).map((path) => `${name}: ${path}`)
    })
    assert.deepStrictEqual(stale, [])
  })

  it(`import on Node ${oldestNode}`, () => {
    writeFileSync(join(project, "imports.js"), specifiers.map((it) => `await import("${it}")\n`).join(""))
    assert.strictEqual(run("node", "-p", "process.version").trim(), `v${oldestNode}`)
    assert.strictEqual(run("node", "imports.js"), "")
  })

  it("give the command", () => {
    assert.include(run("conveyor", "--version"), manifest("").version)
  })

  it("bring their types", () => {
    const imports = specifiers.map((it, index) => `import * as M${index} from "${it}"\n`)
    const uses = specifiers.map((_, index) => `export type T${index} = keyof typeof M${index}\n`)
    writeFileSync(join(project, "consumer.ts"), [...imports, ...uses].join(""))
    const options = { strict: true, noEmit: true, module: "NodeNext", target: "ES2024", types: [], skipLibCheck: true }
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] })
    )
    assert.strictEqual(run(join(root, "node_modules/.bin/tsc"), "-p", "."), "")
  })

  it("keep their internals to themselves", () => {
    for (const { folder, manifest } of packages) {
      const probe = `import("${manifest.name}/internal/${basename(folder)}").catch((error) => console.log(error.code))`
      assert.strictEqual(run("node", "-e", probe).trim(), "ERR_PACKAGE_PATH_NOT_EXPORTED")
    }
  })
})
