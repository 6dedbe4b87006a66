import * as Cadence from "effect-conveyor/Cadence"
import { defaults } from "effect-conveyor/Conveyor"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ConveyorPlan } from "../ConveyorPlan.ts"
import { type Node, positionOf, renderPath, toValue } from "../ManifestFile.ts"
import * as Redaction from "../Redaction.ts"
import { checkName, decode, type Path, refuseUnknown, type Report, tableAt, without } from "./checkedTable.ts"
import {
  ConveyorKeys,
  conveyorKeys,
  LaneKeys,
  laneKeys,
  participantKeys,
  reserved,
  toPolicy
} from "./conveyorSchema.ts"
import { planConsumers, planProducer } from "./planParticipants.ts"
import { treeProblem } from "./treeProblem.ts"

/** Makes the plan of the conveyor at a path, or reports everything that is wrong with it. */
export const planConveyor = Effect.fnUntraced(function*(
  file: string,
  root: Node,
  name: string,
  report: Report
): Effect.fn.Return<ConveyorPlan | undefined> {
  const path = ["conveyors", name]
  const table = tableAt(root, path, report)
  checkName(root, path, name, report)
  if (table === undefined) return undefined
  refuseUnknown(root, path, table, conveyorKeys, report)
  const keys = yield* decode(ConveyorKeys, root, path, table, without(table, conveyorKeys, participantKeys), report)
  const cadence = keys === undefined ? undefined : planCadence(root, path, keys, report)
  const producer = yield* planProducer(root, [...path, "producer"], report)
  const consumers = yield* planConsumers(root, [...path, "consumers"], laneDelivery, report)
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

const laneDelivery = { schema: LaneKeys, names: laneKeys, elsewhere: reserved }

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
