import * as NodeTaskRunner from "effect-workers/NodeTaskRunner"
import duties from "./duties.ts"

NodeTaskRunner.run(duties)
