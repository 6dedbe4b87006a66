import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type CollectorPlan, defaults } from "../CollectorPlan.ts"
import { everything } from "../EventSchema.ts"
import * as ListenAddress from "../ListenAddress.ts"
import { type Node, positionOf, renderPath, toValue } from "../ManifestFile.ts"
import * as Redaction from "../Redaction.ts"
import { checkName, decode, type Path, refuseUnknown, type Report, tableAt, without } from "./checkedTable.ts"
import { CollectorKeys, collectorKeys, consumersKey, DeliveryKeys, deliveryKeys } from "./collectorSchema.ts"
import { reserved } from "./conveyorSchema.ts"
import { eventKey } from "./eventKey.ts"
import { planConsumers } from "./planParticipants.ts"
import { treeProblem } from "./treeProblem.ts"

const shared = "belongs to the collector, whose queue all its consumers share; move it there, or remove it"

const delivery = {
  schema: DeliveryKeys,
  names: deliveryKeys,
  elsewhere: {
    ...reserved,
    capacity: shared,
    overflow: shared,
    concurrency: "belongs to the collector, as `maxConsumers`; move it there, or remove it"
  }
}

/** Makes the plan of the collector at a path, or reports everything that is wrong with it. Its schema is not read yet. */
export const planCollector = Effect.fnUntraced(function*(
  file: string,
  root: Node,
  name: string,
  report: Report
): Effect.fn.Return<CollectorPlan | undefined> {
  const path = ["collectors", name]
  const table = tableAt(root, path, report)
  checkName(root, path, name, report)
  if (table === undefined) return undefined
  refuseUnknown(root, path, table, collectorKeys, report)
  const keys = yield* decode(CollectorKeys, root, path, table, without(table, collectorKeys, consumersKey), report)
  const consumers = yield* planConsumers(root, [...path, "consumers"], delivery, report)
  if (keys === undefined || consumers === undefined) return undefined
  checkTogether(root, path, keys, report)
  const { keyed, listen, maxBody, schema, token, ...queue } = keys
  const value = toValue(table)
  const decoded = {
    consumers: Object.fromEntries(consumers.map(({ options, planned }) => [planned.name, options]))
  }
  return {
    name,
    file,
    listen: listen ?? ListenAddress.defaults,
    token: token === undefined ? undefined : Redacted.make(token),
    schema,
    check: everything,
    maxBody: maxBody ?? defaults.maxBody,
    queue: keyed === undefined ? queue : { ...queue, keyed: { ...keyed, by: eventKey(keyed.by) } },
    consumers: consumers.map(({ planned }) => planned),
    shown: Redaction.redact(value, decoded) as object,
    secrets: Redaction.secretsOf(value, decoded)
  }
})

/** Reports keys that are each right and do not go together. */
const checkTogether = (root: Node, path: Path, keys: CollectorKeys, report: Report): void => {
  const problem = (key: string, message: string) =>
    report(treeProblem(positionOf(root, [...path, key], "value"), renderPath([...path, key]), message))
  const { listen = ListenAddress.defaults, maxConsumers, minConsumers, token } = keys
  if (token === undefined && !ListenAddress.isLoopback(listen)) problem("listen", unguarded(listen))
  if (maxConsumers !== undefined && minConsumers !== undefined && maxConsumers < minConsumers) {
    problem("maxConsumers", `expected at least minConsumers (${minConsumers}), found ${maxConsumers}`)
  }
}

/** Why a collector without a token does not listen where others can reach it. */
export const unguarded = (listen: ListenAddress.ListenAddress): string =>
  `${ListenAddress.format(listen)} can be reached from other machines, so it needs a token; ` +
  "or listen on 127.0.0.1"
