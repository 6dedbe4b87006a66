import * as Connector from "effect-conveyor-connectors/Connector"
import * as Connectors from "effect-conveyor-connectors/Connectors"
import type { LaneOptions } from "effect-conveyor/Lane"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { PlannedConsumer } from "../ConveyorPlan.ts"
import { at, type Node, positionOf, renderPath, type Table } from "../ManifestFile.ts"
import { decode, type Path, refuseUnknown, type Report, tableAt, without } from "./checkedTable.ts"
import { type LaneKeys, reserved } from "./conveyorSchema.ts"
import { found, unknown } from "./schemaProblems.ts"
import { treeProblem } from "./treeProblem.ts"

/** Makes the producer at a path, or reports what is wrong with it. */
export const planProducer = Effect.fnUntraced(function*(root: Node, path: Path, report: Report) {
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
  return connector === undefined
    ? undefined
    : yield* makeAt(root, path, table, connector, { names: [], elsewhere: reserved }, report)
})

interface Planned {
  readonly options: unknown
  readonly planned: PlannedConsumer
}

/** The keys that a consumer's table may hold beside the options of its type. */
interface DeliveryKeys {
  readonly schema: Schema.Codec<LaneKeys, unknown>
  readonly names: ReadonlyArray<string>
  /** Keys that belong somewhere else, and where. */
  readonly elsewhere: { readonly [key: string]: string }
}

/** Makes the consumers at a path, or reports what is wrong with them. */
export const planConsumers = Effect.fnUntraced(function*(
  root: Node,
  path: Path,
  delivery: DeliveryKeys,
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
  const all = yield* Effect.forEach(
    table.entries.keys(),
    (name) => planConsumer(root, [...path, name], name, delivery, report)
  )
  return all.some((consumer) => consumer === undefined) ? undefined : all as ReadonlyArray<Planned>
})

const planConsumer = Effect.fnUntraced(function*(
  root: Node,
  path: Path,
  name: string,
  delivery: DeliveryKeys,
  report: Report
): Effect.fn.Return<Planned | undefined> {
  const table = tableAt(root, path, report)
  if (table === undefined) return undefined
  const connector = connectorAt(root, path, Connectors.consumers, "consumer", name, report)
  if (connector === undefined) return undefined
  const lane = yield* decode(
    delivery.schema,
    root,
    path,
    table,
    without(table, delivery.names, new Set()),
    report
  )
  const made = yield* makeAt(root, path, table, connector, delivery, report)
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
  others: Pick<DeliveryKeys, "elsewhere" | "names">,
  report: Report
) {
  const module = yield* connector.load
  const names = Connector.describeOptions(module.options).map(({ name }) => name)
  const known = ["type", ...names, ...others.names]
  refuseUnknown(root, path, table, known, report, others.elsewhere)
  const options = yield* decode(module.options, root, path, table, without(table, names, new Set()), report)
  return options === undefined ? undefined : { options, made: module.make(options) }
})
