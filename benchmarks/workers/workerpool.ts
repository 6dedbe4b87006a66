// The tasks, as workerpool loads them.
import { Transfer, worker, workerEmit } from "workerpool"
import { spin } from "./work.ts"

worker({
  echo: (value: unknown) => value,
  bytes: (value: Uint8Array) => new Transfer(value, [value.buffer]),
  spin,
  count: (items: number) => {
    for (let i = 0; i < items; i++) workerEmit(i)
    return items
  }
})
