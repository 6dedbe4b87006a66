import { FromWorker, type FromWorkerMessage, ToWorker, type ToWorkerMessage } from "../messages.ts"
import { FrameFault } from "./frames.ts"

// The shape of messages, but not the values in them, which their schemas check where they are used.

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isText = (value: unknown): value is string => typeof value === "string"

const isTrace = (value: unknown): boolean =>
  value === null || (Array.isArray(value) && isText(value[0]) && isText(value[1]) && typeof value[2] === "boolean")

const isToWorker = (message: ReadonlyArray<unknown>): boolean => {
  switch (message[0]) {
    case ToWorker.Begin:
      return isText(message[1]) && isCount(message[2])
    case ToWorker.Call:
      return message.length === 7 && isCount(message[1]) && isText(message[2]) && isCount(message[4]) &&
        isCount(message[5]) && isTrace(message[6])
    case ToWorker.Interrupt:
      return isCount(message[1])
    case ToWorker.Grant:
      return isCount(message[1]) && isCount(message[2])
    case ToWorker.Update:
      return isCount(message[1]) && isText(message[2])
    default:
      return message[0] === ToWorker.Close
  }
}

const isFromWorker = (message: ReadonlyArray<unknown>): boolean => {
  switch (message[0]) {
    case FromWorker.Succeeded:
    case FromWorker.Failed:
      return isCount(message[1]) && typeof message[2] === "number"
    case FromWorker.Chunk:
      return isCount(message[1]) && message[2] !== undefined
    case FromWorker.Memory:
      return typeof message[1] === "number"
    default:
      return message[0] === FromWorker.Resigned
  }
}

const checked = (value: unknown, isMessage: (message: ReadonlyArray<unknown>) => boolean): ReadonlyArray<unknown> => {
  if (!Array.isArray(value)) throw new FrameFault("a batch is an array of messages")
  for (const message of value) {
    if (!Array.isArray(message) || !isMessage(message)) throw new FrameFault("a message has not the shape of its kind")
  }
  return value
}

/** What a queue posted, as it was: MessagePack has no `undefined`. */
export const toWorker = (value: unknown): ReadonlyArray<ToWorkerMessage> => {
  const batch = checked(value, isToWorker) as ReadonlyArray<Array<unknown>>
  for (const message of batch) if (message[0] === ToWorker.Call && message[6] === null) message[6] = undefined
  return batch as unknown as ReadonlyArray<ToWorkerMessage>
}

/** What a worker posted after it was ready. */
export const fromWorker = (value: unknown): ReadonlyArray<FromWorkerMessage> =>
  checked(value, isFromWorker) as unknown as ReadonlyArray<FromWorkerMessage>
