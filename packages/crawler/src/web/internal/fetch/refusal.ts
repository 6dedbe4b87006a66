/** A name resolves to an address that the guard refuses; how a look-up says so through the sockets. */
export class Refusal extends Error {}
