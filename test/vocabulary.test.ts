import { assert, describe, it } from "@effect/vitest"
import { packages, publicModules, read } from "./support/repository.ts"

/** Words that another word of the vocabulary stands for, in every package or in one. */
const avoided: Record<string, ReadonlyArray<string>> = {
  "": [
    "Backfill",
    "Beat",
    "Belt",
    "Cleanup",
    "Common",
    "Constants",
    "Core",
    "Helper",
    "Helpers",
    "Importance",
    "Listener",
    "Loop",
    "Manager",
    "Misfire",
    "Terminate",
    "Util",
    "Utils",
    "Weight"
  ],
  "effect-simulation": ["Iteration", "Sample"],
  "effect-work-queue": ["Close", "Pool", "Status", "Worker", "Workers"],
  "effect-conveyor": [
    "Cancelled",
    "Channel",
    "Cycle",
    "Handler",
    "Job",
    "Message",
    "Pipe",
    "Reader",
    "Reject",
    "Sink",
    "Status",
    "Writer"
  ],
  "effect-collector": [
    "Cancelled",
    "Channel",
    "Controller",
    "Job",
    "Partition",
    "Pool",
    "Shard",
    "Sink",
    "Task",
    "Ticket",
    "Worker"
  ],
  "effect-crawler": ["Branch", "Cancelled"],
  "effect-workers": ["Backend", "Channel", "Executor", "Job", "Orphaned", "Poisoned", "Promise"],
  "effect-conveyor-connectors": ["Reader", "Sink", "Writer"]
}

const exportedNames = (path: string): ReadonlyArray<string> =>
  [
    ...read(path).matchAll(
      /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type|namespace) (\w+)/gm
    )
  ]
    .map(([, name]) => name!)

const wordsOf = (name: string): ReadonlyArray<string> =>
  (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => `${word[0]!.toUpperCase()}${word.slice(1)}`)

describe("vocabulary", () => {
  it("has no second word for a thing", () => {
    const wrong = packages.flatMap(({ folder, manifest }) => {
      const words = [...avoided[""]!, ...(avoided[manifest.name] ?? [])]
      return publicModules(folder).flatMap((path) =>
        exportedNames(path)
          .filter((name) => wordsOf(name).some((word) => words.includes(word)))
          .map((name) => `${path}: ${name}`)
      )
    })
    assert.deepStrictEqual(wrong, [])
  })
})
