import type { TaskHostEvent } from "effect-workers/NodeTaskHost"
import { describeEnd, type WorkerEnd } from "effect-workers/WorkerHost"

/** What has happened on a host. */
export class Tally {
  /** Workers that were started. */
  started = 0
  /** Connections that got no worker. */
  rejected = 0
  /** Workers whose handlers could not be had. */
  notStarted = 0
  /** Workers whose queue went away first. */
  lost = 0
  readonly ended: { [How in WorkerEnd["_tag"]]: number } = {
    Closed: 0,
    Exited: 0,
    Signalled: 0,
    OutOfMemory: 0,
    Disconnected: 0
  }

  add(event: TaskHostEvent): void {
    switch (event._tag) {
      case "Started":
        this.started++
        break
      case "Rejected":
        this.rejected++
        break
      case "NotStarted":
        this.notStarted++
        break
      case "Lost":
        this.lost++
        break
      case "Ended":
        this.ended[event.end._tag]++
        break
    }
  }
}

/** An event, in words. A queue chooses the name of its worker, and a task what it throws: none of it commands a terminal. */
export const describe = (event: TaskHostEvent): string => text(event).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")

const text = (event: TaskHostEvent): string => {
  switch (event._tag) {
    case "Rejected":
      return `${event.peer} was turned away: ${event.detail}`
    case "Started":
      return `${event.worker} works for ${event.peer}`
    case "NotStarted":
      return `no worker for ${event.peer}: ${event.detail}`
    case "Lost":
      return `${event.worker} was ended, because its queue is gone: ${event.detail}`
    case "Ended":
      return `${event.worker} ${endText(event.end)}`
  }
}

const endText = (end: WorkerEnd): string => end._tag === "Closed" ? "was closed by its queue" : describeEnd(end)

/** Whether somebody should look at it. */
export const isTrouble = (event: TaskHostEvent): boolean =>
  event._tag === "Ended"
    ? event.end._tag === "Exited" || event.end._tag === "OutOfMemory"
    : event._tag !== "Started"
