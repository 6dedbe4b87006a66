import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Collect } from "../Collector.ts"
import type { Candidate, Choose } from "../Router.ts"
import type { CollectedEvent } from "./event.ts"

/** What a consumer does with an event, and how one that has begun is settled by what came of it. */
export interface Collection {
  readonly work: (event: CollectedEvent) => Effect.Effect<unknown, unknown>
  readonly onSettled: (event: CollectedEvent, exit: Exit.Exit<unknown, unknown>) => void
}

type AnyCollect = Collect<any, unknown, unknown>

/** What the router and the collectors gave when they were set up. */
export interface Participants {
  readonly collects: ReadonlyArray<AnyCollect>
  readonly candidates: ReadonlyArray<Candidate>
  /** Nothing where every collector gets every payload. */
  readonly choose: Choose<any> | undefined
  readonly concurrent: boolean
}

/** For a queue whose only collector gets every payload: its Exit is the event's. */
const toOne = (collect: AnyCollect): Collection => ({
  work: (event) => {
    event.begin()
    return collect(event.payload)
  },
  onSettled: (event, exit) => event.settleOne(exit)
})

/** For any other. */
const toEach = ({ candidates, choose, collects, concurrent }: Participants): Collection => {
  const everybody = collects.map((_, place) => place)

  const attempt = (place: number, event: CollectedEvent): Effect.Effect<unknown, unknown> => {
    try {
      return collects[place]!(event.payload)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  /** Lets them collect one after the other. Those that give an Exit cost no step of the fiber. */
  const inTurn = (
    event: CollectedEvent,
    places: ReadonlyArray<number>,
    from: number,
    worst: Exit.Exit<unknown, unknown>
  ): Effect.Effect<unknown, unknown> => {
    const over = (place: number, exit: Exit.Exit<unknown, unknown>) => {
      event.record(place, exit)
      if (Exit.isFailure(exit) && Exit.isSuccess(worst)) worst = exit
    }
    for (let i = from; i < places.length; i++) {
      const place = places[i]!
      const effect = attempt(place, event)
      if (Exit.isExit(effect)) {
        over(place, effect)
        continue
      }
      return Effect.flatMap(Effect.exit(effect), (exit) => {
        over(place, exit)
        return inTurn(event, places, i + 1, worst)
      })
    }
    return worst
  }

  const atOnce = (event: CollectedEvent, places: ReadonlyArray<number>): Effect.Effect<unknown, unknown> =>
    Effect.flatMap(
      Effect.forEach(
        places,
        (place) =>
          Effect.map(Effect.exit(Effect.suspend(() => attempt(place, event))), (exit) => {
            event.record(place, exit)
            return exit
          }),
        { concurrency: "unbounded" }
      ),
      (exits) => exits.find(Exit.isFailure) ?? Exit.void
    )

  const collect = (event: CollectedEvent, places: ReadonlyArray<number>): Effect.Effect<unknown, unknown> => {
    event.choose(places, collects.length)
    return concurrent && places.length > 1 ? atOnce(event, places) : inTurn(event, places, 0, Exit.void)
  }

  const chosen = (candidates: ReadonlyArray<Candidate>): ReadonlyArray<number> =>
    [...new Set(candidates.map(({ index }) => index))].toSorted((a, b) => a - b)

  return {
    work: (event) => {
      event.begin()
      if (choose === undefined) return collect(event, everybody)
      const choice = choose(event.payload, candidates)
      return Effect.isEffect(choice)
        ? Effect.flatMap(choice, (candidates) => collect(event, chosen(candidates)))
        : collect(event, chosen(choice))
    },
    onSettled: (event, exit) => event.settleEach(collects.length, exit)
  }
}

export const make = (participants: Participants): Collection =>
  participants.collects.length === 1 && participants.choose === undefined
    ? toOne(participants.collects[0]!)
    : toEach(participants)
