import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connectors } from "effect-conveyor-connectors"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { command, directoryWith, run } from "./conveyorProcess.ts"

describe("conveyor", () => {
  it.live("tells its version without loading Effect", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const stdout = execFileSync(process.execPath, [...command, "--version"], {
        encoding: "utf8",
        env: { ...process.env, NODE_V8_COVERAGE: directory }
      })
      assert.match(stdout, /^conveyor \d+\.\d+\.\d+\n$/)
      const loaded = readdirSync(directory).map((file) => readFileSync(`${directory}/${file}`, "utf8")).join("")
      assert.include(loaded, "/cli/src/bin.ts")
      assert.notInclude(loaded, "/node_modules/effect/")
    }))

  it.live("says wrong usage on standard error, and ends with 64", () =>
    Effect.gen(function*() {
      for (
        const args of [[], ["rnu"], ["run", "--onse"], ["list", "things"], ["init"], ["run", "-o", "xml"], [
          "validate",
          "a.txt"
        ], ["--nope"]]
      ) {
        const { code, stderr, stdout } = yield* run("/", args)
        assert.deepStrictEqual([code, stdout], [64, ""], args.join(" "))
        assert.notStrictEqual(stderr, "")
      }
      assert.include((yield* run("/", ["rnu"])).stderr, "run")
    }))

  it.live("gives help and completions on standard output", () =>
    Effect.gen(function*() {
      for (
        const [args, text] of [
          [["--help"], "USAGE"],
          [["run", "--help"], "--dry-run"],
          [["--completions", "zsh"], "dry-run"]
        ] as const
      ) {
        const { code, stderr, stdout } = yield* run("/", args)
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.include(stdout, text)
      }
      assert.notInclude((yield* run("/", ["--help"])).stdout, "wizard")
    }))

  it.live("colours only on request where there is no terminal", () =>
    Effect.gen(function*() {
      const colored = (args: ReadonlyArray<string>, environment?: { readonly [name: string]: string }) =>
        Effect.map(run("/", [...args, "--help"], environment), ({ stdout }) => stdout.includes("\u001b["))
      assert.isFalse(yield* colored([]))
      assert.isTrue(yield* colored(["--color", "always"]))
      assert.isTrue(yield* colored([], { FORCE_COLOR: "1" }))
      assert.isFalse(yield* colored(["--color", "never"], { FORCE_COLOR: "1" }))
      assert.isFalse(yield* colored([], { FORCE_COLOR: "1", NO_COLOR: "1" }))
    }))

  describe("validate", () => {
    it.live("says that files are fine", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "conveyor.yaml": fine })
        const { code, stdout } = yield* run(directory, ["validate"])
        assert.deepStrictEqual([code, stdout], [0, "conveyor.yaml: a is ok, goes to console\n"])
        const json = yield* run(directory, ["validate", "-o", "json"])
        assert.strictEqual(JSON.parse(json.stdout).valid, true)
        const ndjson = yield* run(directory, ["validate", "-o", "ndjson"])
        assert.strictEqual(JSON.parse(ndjson.stdout).conveyor, "a")
      }))

    it.live("says what is wrong with each, and ends with 78", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "a.yaml": "conveyors: {}\n", "b.toml": "a = = 1\n", "c.yaml": fine })
        const { code, stderr, stdout } = yield* run(directory, ["validate", "a.yaml", "b.toml", "c.yaml"])
        assert.deepStrictEqual([code, stdout], [78, ""])
        assert.match(stderr, /^a\.yaml:1:\d+: .*\nb\.toml:1:5: .*\n$/)
        const json = yield* run(directory, ["validate", "a.yaml", "-o", "json"])
        assert.strictEqual(json.code, 78)
        const document = JSON.parse(json.stdout)
        assert.strictEqual(document.valid, false)
        assert.deepStrictEqual(Object.keys(document.problems[0]), ["file", "line", "column", "path", "message"])
      }))

    it.live("ends with 78 where there is no file, and with 65 where it is not text", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "bytes.yaml": new Uint8Array([0xc3, 0x28]) })
        assert.strictEqual((yield* run(directory, ["validate"])).code, 78)
        assert.strictEqual((yield* run(directory, ["validate", "bytes.yaml"])).code, 65)
      }))

    it.live("survives a megabyte of noise, within a second and a screen", () =>
      Effect.gen(function*() {
        const noise = randomBytes(1_000_000)
        const directory = yield* directoryWith({
          "bytes.yaml": noise,
          "text.yaml": noise.toString("latin1"),
          "short.yaml": noise.toString("latin1").slice(0, 120_000),
          "deep.yaml": "[".repeat(200_000),
          "deep.json": "[".repeat(200_000),
          "deep.toml": `a = ${"[".repeat(200_000)}`,
          "wide.yaml": Array.from({ length: 20_000 }, (_, i) => `k${i}: v`).join("\n")
        })
        const base = (yield* run(directory, ["validate", "none.yaml"])).millis
        for (const name of readdirSync(directory)) {
          const { code, millis, stderr } = yield* run(directory, ["validate", name])
          assert.include([65, 78], code, `${name}: ${stderr}`)
          assert.isBelow(stderr.length, 8000, name)
          assert.notInclude(stderr, "    at ", name)
          assert.isBelow(millis - base, 3000, name)
          if (name === "bytes.yaml" || name === "text.yaml") assert.isBelow(millis - base, 1000, name)
        }
      }))

    it.live("shows no secret", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({
          "conveyor.yaml":
            "conveyors:\n  a:\n    every: 5s\n    producer: { type: http, url: \"http://u:${PASS}@h/\", headers: { Authorization: \"Bearer ${PASS}\" } }\n    consumers: { console: {} }\n"
        })
        const { code, stdout } = yield* run(directory, ["validate", "-o", "json"], { PASS: "hunter22" })
        assert.strictEqual(code, 0)
        assert.notInclude(stdout, "hunter22")
        assert.include(stdout, "http://u:<redacted>@h/")
      }))
  })

  describe("list", () => {
    it.live("lists every connector with its options", () =>
      Effect.gen(function*() {
        const text = yield* run("/", ["list"])
        const listed = JSON.parse((yield* run("/", ["list", "-o", "json"])).stdout) as ReadonlyArray<{ type: string }>
        const types = [...Object.keys(Connectors.producers), ...Object.keys(Connectors.consumers)]
        assert.deepStrictEqual(listed.map(({ type }) => type), types)
        for (const type of types) assert.include(text.stdout, ` ${type}: `)
        const consumers = yield* run("/", ["list", "consumers", "-o", "ndjson"])
        assert.lengthOf(consumers.stdout.trimEnd().split("\n"), Object.keys(Connectors.consumers).length)
      }))
  })

  describe("init", () => {
    it.live("makes a project that is valid and runs", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({})
        const { code, stdout } = yield* run(directory, ["init", "poller", "My Weather"])
        assert.strictEqual(code, 0)
        const project = `${directory}/My Weather`
        assert.deepStrictEqual(readdirSync(project).sort(), [
          ".gitignore",
          "README.md",
          "conveyor.yaml",
          "package.json"
        ])
        assert.include(stdout, "conveyor.yaml")
        const manifest = JSON.parse(readFileSync(`${project}/package.json`, "utf8"))
        assert.strictEqual(manifest.name, "my-weather")
        assert.match(manifest.dependencies.conveyor, /^\d+\.\d+\.\d+$/)
        assert.strictEqual((yield* run(project, ["validate"])).code, 0)
        assert.strictEqual((yield* run(project, ["run", "--once"], { DATA_DIR: "elsewhere" })).code, 0)
        assert.deepStrictEqual(readdirSync(`${project}/elsewhere`), ["host.csv"])
      }))

    it.live("touches nothing where one of its files exists", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "README.md": "mine" })
        const { code, stderr, stdout } = yield* run(directory, ["init", "poller"])
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, "  README.md")
        assert.deepStrictEqual(readdirSync(directory), ["README.md"])
        assert.strictEqual(readFileSync(`${directory}/README.md`, "utf8"), "mine")
      }))

    it.live("ends with 69 where it cannot write", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({})
        writeFileSync(`${directory}/file`, "")
        assert.strictEqual((yield* run(directory, ["init", "poller", "file/project"])).code, 69)
      }))
  })
})

const fine = "conveyors:\n  a:\n    every: 5s\n    producer: { type: host }\n    consumers: { console: {} }\n"
