import { assert, describe, it } from "@effect/vitest"
import { manifest, packages, read } from "./support/repository.ts"

const manifests = [manifest(""), manifest("benchmarks/"), ...packages.map((entry) => entry.manifest)]
const ours = new Set(manifests.map(({ name }) => name))

const required = manifests.flatMap((from) =>
  [from.dependencies, from.devDependencies, from.peerDependencies]
    .flatMap((group) => Object.entries(group ?? {}))
    .map(([name, version]) => ({ from: from.name, name, version }))
)

describe("dependencies", () => {
  it("are pinned to one exact version each", () => {
    assert.deepStrictEqual(required.filter(({ version }) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)), [])
    const versions = new Map(required.map(({ name, version }) => [name, version]))
    assert.deepStrictEqual(required.filter(({ name, version }) => versions.get(name) !== version), [])
  })

  it("are each explained in docs/dependencies.md at that version, and no others are", () => {
    const rows = [...read("docs/dependencies.md").matchAll(/^\| `([^`]+)` +\| (\d[\w.-]*)/gm)].map((
      [, name, version]
    ) => `${name} ${version}`)
    const used = required.filter(({ name }) => !ours.has(name)).map(({ name, version }) => `${name} ${version}`)
    assert.sameMembers(rows, [...new Set(used)])
  })

  it("come from wherever the user's npm gets its packages", () => {
    assert.notMatch(read("package-lock.json"), /https?:\/\/(?!.*"funding").*\.tgz/)
    const { packages: locked }: { packages: Record<string, { resolved?: string; link?: boolean }> } = JSON.parse(
      read("package-lock.json")
    )
    assert.deepStrictEqual(
      Object.entries(locked).filter(([, { link, resolved }]) => resolved !== undefined && link !== true),
      []
    )
  })

  it("include the Node that this runs on", () => {
    assert.strictEqual(process.versions.node, manifest("").devDependencies!["node"])
  })

  it("of our own have the version that is released", () => {
    assert.deepStrictEqual(
      manifests.filter(({ version }) => version !== manifest("").version).map(({ name }) => name),
      []
    )
    assert.deepStrictEqual(
      required.filter(({ name, version }) => ours.has(name) && version !== manifest("").version),
      []
    )
  })
})
