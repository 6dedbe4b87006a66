import { assert, describe, it } from "@effect/vitest"
import { ListenAddress } from "conveyor"
import { Option } from "effect"

describe("ListenAddress", () => {
  describe("parse", () => {
    it("reads what format writes", () => {
      for (const text of ["127.0.0.1:8080", "[::1]:0", "localhost:65535", "my-host.example:1"]) {
        assert.strictEqual(ListenAddress.format(Option.getOrThrow(ListenAddress.parse(text))), text)
      }
    })

    it("refuses what is no address", () => {
      for (
        const text of [
          "",
          "8080",
          ":8080",
          "localhost",
          "::1:80",
          "[::1]",
          "[nope]:1",
          "h:65536",
          "h:-1",
          "a b:1",
          "h:"
        ]
      ) {
        assert.isTrue(Option.isNone(ListenAddress.parse(text)), text)
      }
    })
  })

  describe("isLoopback", () => {
    it("holds for addresses that only this machine has", () => {
      const isLoopback = (text: string) => ListenAddress.isLoopback(Option.getOrThrow(ListenAddress.parse(text)))
      for (
        const text of ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "LOCALHOST:1", "[::ffff:127.0.0.1]:1"]
      ) {
        assert.isTrue(isLoopback(text), text)
      }
      for (const text of ["0.0.0.0:1", "[::]:1", "128.0.0.1:1", "10.0.0.1:1", "localhost.example:1", "[fe80::1]:1"]) {
        assert.isFalse(isLoopback(text), text)
      }
    })
  })
})
