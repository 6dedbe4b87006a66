import { assert, describe, it } from "@effect/vitest"
import { basename, dirname, join } from "node:path"
import { files, packages, publicModules, read } from "./support/repository.ts"

const machines = ["effect-conveyor", "effect-collector", "effect-crawler", "effect-workers"]

/** What each package may import of this repository. Nothing else may be imported from anywhere in its `src`. */
const allowed: Record<string, ReadonlyArray<string>> = {
  "effect-simulation": [],
  "effect-work-queue": [],
  "effect-conveyor": ["effect-work-queue"],
  "effect-collector": ["effect-work-queue"],
  "effect-crawler": ["effect-work-queue"],
  "effect-workers": ["effect-work-queue"],
  "effect-conveyor-connectors": ["effect-conveyor"],
  "effect-conveyor-control": machines,
  "conveyor": ["effect-work-queue", ...machines, "effect-conveyor-connectors", "effect-conveyor-control"]
}

const onNode = ["effect-conveyor-connectors", "effect-conveyor-control", "conveyor"]

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const importsOf = (path: string): ReadonlyArray<Import> =>
  [
    ...read(path).matchAll(
      /^(?:import|export) (?<type>type )?(?:[^"'`;]*? from )?"(?<static>[^"]+)"|\bimport\("(?<dynamic>[^"]+)"\)/gm
    )
  ].map(({ groups }) => ({
    from: path,
    to: groups!["static"] ?? groups!["dynamic"]!,
    typeOnly: groups!["type"] !== undefined
  }))

const packageOf = (specifier: string): string =>
  specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")

const violations = (isWrong: (edge: Import, name: string) => boolean): ReadonlyArray<string> =>
  packages.flatMap(({ folder, manifest }) =>
    files(`${folder}src/**/*.ts`)
      .flatMap(importsOf)
      .filter((edge) => isWrong(edge, manifest.name))
      .map((edge) => `${edge.from} imports ${edge.to}`)
  )

const cycleFrom = (path: string, edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const search = (trail: ReadonlyArray<string>): ReadonlyArray<string> => {
    for (const next of edges.get(trail.at(-1)!) ?? []) {
      if (next === path) return [...trail, next]
      if (seen.has(next)) continue
      seen.add(next)
      const found = search([...trail, next])
      if (found.length > 0) return found
    }
    return []
  }
  const seen = new Set<string>()
  return search([path])
}

describe("architecture", () => {
  it("lists every package", () => {
    assert.deepStrictEqual(packages.filter(({ manifest }) => !(manifest.name in allowed)).map((p) => p.folder), [])
  })

  it("builds and checks every package", () => {
    const references: ReadonlyArray<{ readonly path: string }> = JSON.parse(read("tsconfig.json")).references
    assert.sameMembers(references.map(({ path }) => `${path}/`), packages.map(({ folder }) => folder))
  })

  it("lets packages import only what is below them", () => {
    const ours = new Set(Object.keys(allowed))
    assert.deepStrictEqual(
      violations(({ to }, name) =>
        ours.has(packageOf(to)) && packageOf(to) !== name && !allowed[name]!.includes(packageOf(to))
      ),
      []
    )
  })

  it("imports other packages by what they export, not by path", () => {
    assert.deepStrictEqual(
      violations(({ from, to }) =>
        /\/(?:src|dist|internal)\//.test(to) && !to.startsWith(".") ||
        to.startsWith(".") && !join(dirname(from), to).startsWith(from.split("/").slice(0, 3).join("/"))
      ),
      []
    )
  })

  it("declares every package it imports", () => {
    const declared = new Map(
      packages.map(({ manifest }) => [manifest.name, { ...manifest.dependencies, ...manifest.peerDependencies }])
    )
    assert.deepStrictEqual(
      violations(({ to }, name) =>
        !to.startsWith(".") && !to.startsWith("node:") && !(packageOf(to) in declared.get(name)!)
      ),
      []
    )
  })

  it("keeps Node-specific code at the edge", () => {
    assert.deepStrictEqual(
      violations(({ from, to }, name) =>
        /^(?:node:|@effect\/platform-node)/.test(to) && !onNode.includes(name) && !basename(from).startsWith("Node")
      ),
      []
    )
  })

  it("imports modules of Effect, not its barrels", () => {
    assert.deepStrictEqual(violations(({ to }) => to === "effect" || /^@effect\/[^/]+$/.test(to)), [])
  })

  it("has no import cycles but those of types", () => {
    const sources = packages.flatMap(({ folder }) => files(`${folder}src/**/*.ts`))
    const edges = new Map(
      sources.map((path) => [
        path,
        importsOf(path).filter(({ to, typeOnly }) => to.startsWith(".") && !typeOnly).map(({ to }) =>
          join(dirname(path), to)
        )
      ])
    )
    assert.deepStrictEqual(
      sources.map((path) => cycleFrom(path, edges).join(" → ")).filter((cycle) => cycle !== ""),
      []
    )
  })

  it("exports every public module of a package from its index, and nothing else", () => {
    for (const { folder } of packages) {
      assert.deepStrictEqual(
        importsOf(`${folder}src/index.ts`).map(({ to }) => to).toSorted(),
        publicModules(folder).filter((path) => path.split("/").length === 4).map((path) => `./${basename(path)}`),
        `${folder}src/index.ts`
      )
    }
  })
})
