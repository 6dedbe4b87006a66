/**
 * An event queue whose crew sizes itself, with the metrics of queueing theory and results that can be awaited.
 *
 * @since 0.1.0
 */
export * as Collector from "./Collector.ts"
export * as CollectorError from "./CollectorError.ts"
export * as CollectorQueue from "./CollectorQueue.ts"
export * as MessageBus from "./MessageBus.ts"
export * as Publisher from "./Publisher.ts"
export * as QueueMetrics from "./QueueMetrics.ts"
export * as Receipt from "./Receipt.ts"
export * as Router from "./Router.ts"
export * as ScalingPolicy from "./ScalingPolicy.ts"
export * as ScalingReplay from "./ScalingReplay.ts"
