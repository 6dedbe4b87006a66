import * as Connector from "effect-conveyor-connectors/Connector"
import * as Connectors from "effect-conveyor-connectors/Connectors"
import * as Cadence from "effect-conveyor/Cadence"
import { defaults } from "effect-conveyor/Conveyor"
import type { LaneOptions } from "effect-conveyor/Lane"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ConveyorPlan, PlannedConsumer } from "../ConveyorPlan.ts"
import { at, type Node, positionOf, renderPath, type Table, toValue } from "../ManifestFile.ts"
import * as Redaction from "../Redaction.ts"
import {
  ConveyorKeys,
  conveyorKeys,
  LaneKeys,
  laneKeys,
  participantKeys,
  reserved,
  toPolicy
} from "./conveyorSchema.ts"
import { decodeNode } from "./decodeNode.ts"
import { type Finding, found, toProblem, unknown } from "./schemaProblems.ts"
import { type TreeProblem, treeProblem } from "./treeProblem.ts"

type Path = ReadonlyArray<PropertyKey>
type Report = (problem: TreeProblem) => void

/** Makes the plan of the conveyor at a path, or reports everything that is wrong with it. */
export const planConveyor = Effect.fnUntraced(function*(
  file: string,
  root: Node,
  name: string,
  report: Report
): Effect.fn.Return<ConveyorPlan | undefined> {
  const path = ["conveyors", name]
  const table = tableAt(root, path, report)
  if (!/^[\w.-]{1,64}$/.test(name)) {
    report(treeProblem(
      positionOf(root, path, "key"),
      "conveyors",
      `${
        JSON.stringify(name.slice(0, 64))
      } cannot name a conveyor; use up to 64 letters, digits, \`_\`, \`-\` and \`.\``
    ))
  }
  if (table === undefined) return undefined
  refuseUnknown(root, path, table, conveyorKeys, report)
  const keys = yield* decode(ConveyorKeys, root, path, table, without(table, conveyorKeys, participantKeys), report)
  const cadence = keys === undefined ? undefined : planCadence(root, path, keys, report)
  const producer = yield* planProducer(root, [...path, "producer"], report)
  const consumers = yield* planConsumers(root, [...path, "consumers"], report)
  if (keys === undefined || cadence === undefined || producer === undefined || consumers === undefined) return undefined
  const value = toValue(table)
  const decoded = {
    producer: producer.options,
    consumers: Object.fromEntries(consumers.map(({ options, planned }) => [planned.name, options]))
  }
  return {
    name,
    file,
    cadence,
    producer: producer.made,
    consumers: consumers.map(({ planned }) => planned),
    missedTicks: toPolicy(keys.missedTicks),
    timeout: keys.timeout,
    maxSilence: keys.maxSilence,
    restart: keys.restart,
    drainTimeout: keys.drainTimeout ?? Duration.fromInputUnsafe(defaults.drainTimeout),
    maxTicks: defaults.maxTicks,
    shown: Redaction.redact(value, decoded) as object,
    fingerprint: JSON.stringify(value),
    secrets: Redaction.secretsOf(value, decoded)
  }
})

/** The keys that another decoder, or `refuseUnknown`, deals with. */
const without = (table: Table, known: ReadonlyArray<string>, others: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(Array.from(table.entries.keys()).filter((key) => others.has(key) || !known.includes(key)))

const planCadence = (root: Node, path: Path, keys: ConveyorKeys, report: Report): Cadence.Cadence | undefined => {
  const problem = (key: string | undefined, message: string): undefined => {
    const place = key === undefined ? path : [...path, key]
    report(treeProblem(positionOf(root, place, key === undefined ? "key" : "value"), renderPath(place), message))
  }
  const settled = (
    result: Result.Result<Cadence.Cadence, Cadence.InvalidCadence>,
    names: { readonly [option: string]: string }
  ) =>
    Result.match(result, {
      onFailure: ({ expected, got, option }) => problem(names[option] ?? option, `expected ${expected}, found ${got}`),
      onSuccess: (cadence) => cadence
    })
  const { anchor, cron, every, jitter, offset, zone } = keys
  if (every === undefined && cron === undefined) {
    return problem(undefined, "needs a cadence: `every`, such as 30s, or `cron`")
  }
  if (every !== undefined && cron !== undefined) return problem("cron", "stands beside `every`; keep one of the two")
  const stray = every === undefined
    ? (offset !== undefined ? "offset" : anchor !== undefined ? "anchor" : undefined)
    : (zone !== undefined ? "zone" : undefined)
  if (stray !== undefined) return problem(stray, `goes with \`${every === undefined ? "every" : "cron"}\`; remove it`)
  return every === undefined
    ? settled(Cadence.parseCron(cron!, { zone, jitter }), { expression: "cron" })
    : settled(Cadence.parseEvery(every, { offset, anchor, jitter }), { interval: "every" })
}

const planProducer = Effect.fnUntraced(function*(root: Node, path: Path, report: Report) {
  if (at(root, path) === undefined) {
    report(treeProblem(
      positionOf(root, path, "value"),
      renderPath(path),
      `is missing; give its type, one of ${Object.keys(Connectors.producers).join(", ")}`
    ))
    return undefined
  }
  const table = tableAt(root, path, report)
  if (table === undefined) return undefined
  const connector = connectorAt(root, path, Connectors.producers, "producer", undefined, report)
  return connector === undefined ? undefined : yield* makeAt(root, path, table, connector, [], report)
})

interface Planned {
  readonly options: unknown
  readonly planned: PlannedConsumer
}

const planConsumers = Effect.fnUntraced(function*(
  root: Node,
  path: Path,
  report: Report
): Effect.fn.Return<ReadonlyArray<Planned> | undefined> {
  const table = at(root, path) === undefined ? undefined : tableAt(root, path, report)
  if (table === undefined || table.entries.size === 0) {
    if (at(root, path) === undefined || table !== undefined) {
      report(treeProblem(
        positionOf(root, path, "value"),
        renderPath(path),
        "names no consumer; add one, such as `console: {}`"
      ))
    }
    return undefined
  }
  const all = yield* Effect.forEach(table.entries.keys(), (name) => planConsumer(root, [...path, name], name, report))
  return all.some((consumer) => consumer === undefined) ? undefined : all as ReadonlyArray<Planned>
})

const planConsumer = Effect.fnUntraced(function*(
  root: Node,
  path: Path,
  name: string,
  report: Report
): Effect.fn.Return<Planned | undefined> {
  const table = tableAt(root, path, report)
  if (table === undefined) return undefined
  const connector = connectorAt(root, path, Connectors.consumers, "consumer", name, report)
  if (connector === undefined) return undefined
  const lane = yield* decode(LaneKeys, root, path, table, without(table, laneKeys, new Set()), report)
  const made = yield* makeAt(root, path, table, connector, laneKeys, report)
  if (lane?.batch !== undefined && made !== undefined && made.made.takes === "one") {
    report(treeProblem(
      positionOf(root, [...path, "batch"], "key"),
      renderPath([...path, "batch"]),
      `does not go with \`${connector.type}\`, which takes one payload at a time; remove it`
    ))
    return undefined
  }
  if (lane === undefined || made === undefined) return undefined
  const written = (made.options as { readonly path?: unknown }).path
  return {
    options: made.options,
    planned: {
      name,
      type: connector.type,
      path: typeof written === "string" ? written : undefined,
      consumer: made.made,
      // Whether it takes batches may depend on its options.
      lane: toLaneOptions(lane, made.made.takes === "batch" ? connector.batch : undefined)
    }
  }
})

const toLaneOptions = ({ retry, ...lane }: LaneKeys, batch: LaneOptions["batch"]): LaneOptions => ({
  ...lane,
  batch: lane.batch ?? batch,
  backoff: retry === undefined ? undefined : { min: retry.minBackoff, max: retry.maxBackoff }
})

/** The connector that a table's `type` names, or without one the table's own name. */
const connectorAt = <C>(
  root: Node,
  path: Path,
  known: { readonly [type: string]: C },
  kind: "producer" | "consumer",
  name: string | undefined,
  report: Report
): C | undefined => {
  const place = [...path, "type"]
  const node = at(root, place)
  const types = Object.keys(known)
  if (node === undefined) {
    if (name !== undefined && known[name] !== undefined) return known[name]
    report(treeProblem(
      positionOf(root, path, "key"),
      renderPath(path),
      name === undefined
        ? `needs a \`type\`, one of ${types.join(", ")}`
        : `${unknown("consumer", name, types)}; to choose the name freely add its \`type\``
    ))
    return undefined
  }
  const type = node._tag === "Scalar" && typeof node.value === "string" ? node.value : undefined
  if (type !== undefined && known[type] !== undefined) return known[type]
  report(treeProblem(
    node.position,
    renderPath(place),
    type === undefined || (node._tag === "Scalar" && node.variables?.length)
      ? `expected one of ${types.join(", ")}, found ${found(root, place)}`
      : unknown(kind, type, types)
  ))
  return undefined
}

/** Decodes a connector's options, those keys of its table that are not another's, and makes it. */
const makeAt = Effect.fnUntraced(function*<Made>(
  root: Node,
  path: Path,
  table: Table,
  connector: Connector.Connector<Made>,
  others: ReadonlyArray<string>,
  report: Report
) {
  const module = yield* connector.load
  const names = Connector.describeOptions(module.options).map(({ name }) => name)
  const known = ["type", ...names, ...others]
  refuseUnknown(root, path, table, known, report)
  const options = yield* decode(module.options, root, path, table, without(table, names, new Set()), report)
  return options === undefined ? undefined : { options, made: module.make(options) }
})

const refuseUnknown = (root: Node, path: Path, table: Table, known: ReadonlyArray<string>, report: Report): void => {
  for (const key of table.entries.keys()) {
    if (known.includes(key)) continue
    const place = [...path, key]
    report(
      Object.hasOwn(reserved, key)
        ? treeProblem(positionOf(root, place, "key"), renderPath(place), reserved[key]!)
        : toProblem(root, { _tag: "Unknown", path: place, keys: known })
    )
  }
}

const decode = <A>(
  schema: Parameters<typeof decodeNode<A>>[0],
  root: Node,
  path: Path,
  table: Table,
  omit: ReadonlySet<string>,
  report: Report
): Effect.Effect<A | undefined> =>
  Effect.catch(decodeNode(schema, table, path, omit), (all: ReadonlyArray<Finding>) => {
    for (const finding of all) report(toProblem(root, finding))
    return Effect.undefined
  })

const tableAt = (root: Node, path: Path, report: Report): Table | undefined => {
  const node = at(root, path)
  if (node?._tag === "Table") return node
  // `console:` with nothing after it is how YAML is written.
  if (node?._tag === "Scalar" && node.value === null && path.at(-2) === "consumers") {
    return { _tag: "Table", position: node.position, entries: new Map() }
  }
  report(treeProblem(
    positionOf(root, path, "value"),
    renderPath(path),
    `expected a table of keys, found ${found(root, path)}`
  ))
  return undefined
}
