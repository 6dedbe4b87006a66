/**
 * `conveyor work`: runs workers for task queues of other programs and machines.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./internal/working/flags.ts"

/**
 * The command.
 *
 * **Details**
 *
 * As text, standard output stays empty. With `-o ndjson` it carries what happens on the host, the address first, and with `-o json` one document about how
 * it went. The secret is read from a file or from CONVEYOR_SECRET, and stands neither among the arguments nor in the log.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("work", flags, (input) =>
  Effect.flatMap(
    // Loaded by this command alone: sockets and TLS take longer to import than other commands take to run.
    Effect.promise(() => import("./internal/working/work.ts")),
    ({ work }) => work(input)
  )).pipe(
    Command.withDescription("Run workers for task queues of other programs and machines"),
    Command.withExamples([
      {
        command: "conveyor work --tasks tasks.ts --listen tcp://0.0.0.0:7000 --secret-file secret",
        description: "Threads for queues that know the secret"
      },
      {
        command:
          "conveyor work --tasks tasks.ts --listen tls://0.0.0.0:7000 --tls-cert cert.pem --tls-key key.pem --tls-ca ca.pem",
        description: "For queues with a certificate, on a network that is not trusted"
      },
      {
        command: "conveyor work --tasks tasks.ts --listen unix:///run/work.sock --kind processes --unauthenticated",
        description: "Processes for other programs of this user"
      }
    ])
  )
