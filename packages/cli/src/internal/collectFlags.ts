import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CollectorPlan } from "../CollectorPlan.ts"
import { TokenMissing, UsageError } from "../CommandFailed.ts"
import { type Environment, interpolateTree } from "../Interpolation.ts"
import * as ListenAddress from "../ListenAddress.ts"
import type { Entry, Node } from "../ManifestFile.ts"
import { planCollector, unguarded } from "./planCollector.ts"
import type { TreeProblem } from "./treeProblem.ts"

// Flags say what a file says, so they become the tree of one, and are checked as that.

export interface CollectFlags {
  readonly listen: Option.Option<string>
  readonly schema: Option.Option<string>
  readonly to: ReadonlyArray<string>
  readonly maxBody: Option.Option<string>
}

/** The name of the collector that flags describe. */
const name = "events"

/** Makes the plan of the collector that the flags describe. */
export const planFlags = Effect.fnUntraced(function*(
  { listen, maxBody, schema, to }: CollectFlags,
  token: string | undefined,
  environment: Environment
): Effect.fn.Return<CollectorPlan, UsageError | TokenMissing> {
  const address = Option.getOrElse(Option.flatMap(listen, ListenAddress.parse), () => ListenAddress.defaults)
  if (token === undefined && !ListenAddress.isLoopback(address)) {
    return yield* new TokenMissing({
      problem: `${unguarded(address)}; give the token as --token-file FILE or in CONVEYOR_TOKEN`
    })
  }
  const consumers = new Map<string, Node>()
  for (const consumer of to.length === 0 ? ["console"] : to) {
    const { fields, type } = yield* parseConsumer(consumer)
    let key = type
    for (let n = 2; consumers.has(key); n++) key = `${type}-${n}`
    consumers.set(key, table([["type", scalar(type)], ...fields]))
  }
  const texts = {
    listen,
    maxBody,
    schema,
    // Other flags may name variables, so that no secret need stand among the arguments; a token is what it is.
    token: Option.map(Option.fromNullishOr(token), (token) => token.replaceAll("$", "$$$$"))
  }
  const given = Object.entries(texts).flatMap(([key, value]): ReadonlyArray<[string, Node]> =>
    Option.isNone(value) ? [] : [[key, scalar(value.value)]]
  )
  const collector = table([...given, ["consumers", table([...consumers])]])
  const root = table([["collectors", table([[name, collector]])]])
  const { node, problems } = interpolateTree(root, environment)
  const all: Array<TreeProblem> = [...problems]
  const plan = yield* planCollector("the command line", node, name, (problem) => all.push(problem))
  if (all.length > 0 || plan === undefined) {
    return yield* new UsageError({ problem: all.map(({ message, path }) => `${flagOf(path)}: ${message}`).join("\n") })
  }
  return plan
})

/** `TYPE`, or `TYPE:KEY=VALUE,KEY=VALUE`; a comma that no key follows belongs to the value. */
const parseConsumer = (
  text: string
): Effect.Effect<{ readonly type: string; readonly fields: ReadonlyArray<[string, Node]> }, UsageError> => {
  const [, type = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(text)!
  const pairs = rest === undefined ? [] : rest.split(/,(?=[A-Za-z][\w.-]*=)/)
  const wrong = pairs.find((pair) => !/^[A-Za-z][\w.-]*=/.test(pair))
  if (type === "" || wrong !== undefined) {
    return Effect.fail(
      new UsageError({
        problem: `--to ${text}: expected TYPE or TYPE:KEY=VALUE,KEY=VALUE, such as ndjson:path=events.ndjson`
      })
    )
  }
  const fields = new Map<string, Node>()
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    insert(fields, pair.slice(0, at).split("."), scalar(pair.slice(at + 1)))
  }
  return Effect.succeed({ type, fields: [...fields] })
}

const insert = (into: Map<string, Node>, [key = "", ...rest]: ReadonlyArray<string>, value: Node): void => {
  if (rest.length === 0) {
    into.set(key, value)
    return
  }
  const there = into.get(key)
  const below = new Map(
    there?._tag === "Table" ? Array.from(there.entries, ([key, { value }]) => [key, value] as const) : []
  )
  insert(below, rest, value)
  into.set(key, table([...below]))
}

const nowhere = { line: 1, column: 1 }

const table = (entries: ReadonlyArray<readonly [string, Node]>): Node => ({
  _tag: "Table",
  position: nowhere,
  entries: new Map(entries.map(([key, value]): [string, Entry] => [key, { position: nowhere, value }]))
})

/** Text, which is a number or a boolean where one of these is expected, as with a variable. */
const scalar = (value: string): Node => ({ _tag: "Scalar", position: nowhere, value, isLone: true })

/** The flag that a place in the tree comes from. */
const flagOf = (path: string): string => {
  const [, , key = "", consumer, ...rest] = path.split(".")
  switch (key) {
    case "consumers":
      return ["--to", consumer, rest.filter((part) => part !== "type").join(".")].filter(Boolean).join(" ")
    case "maxBody":
      return "--max-body"
    default:
      return `--${key}`
  }
}
