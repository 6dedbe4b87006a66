export { IntrusiveHeap as Heap, type Ranked } from "effect-work-queue/IntrusiveHeap"
