import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as AddressGuard from "effect-crawler/web/AddressGuard"

const refused: Readonly<Record<string, ReadonlyArray<string>>> = {
  "this machine": ["127.0.0.1", "127.255.255.254", "::1"],
  "a private address": [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "fc00::1",
    "fd12:3456::1"
  ],
  "a link-local address": ["169.254.0.1", "169.254.169.254", "fe80::1", "febf::1"],
  "a carrier's private address": ["100.64.0.0", "100.127.255.255"],
  "the unspecified address": ["0.0.0.0", "0.1.2.3", "::"],
  "a multicast address": ["224.0.0.1", "239.255.255.255", "ff02::1"],
  "the broadcast address": ["255.255.255.255"],
  // Protocol assignments, documentation, benchmarking, the old relays of 6to4, and what is left over.
  "a reserved address": [
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.9",
    "192.88.99.1",
    "240.0.0.1",
    "2001:db8::1",
    "3fff::1"
  ],
  "a benchmarking address": ["2001:2::1"],
  "in the range \"teredo\"": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  "in the range \"6to4\"": ["2002:7f00:1::", "2002:0808:0808::"],
  "in the range \"deprecatedSiteLocal\"": ["fec0::1"],
  "in the range \"discard\"": ["100::1"],
  "in the range \"rfc6052\"": ["64:ff9b:1::808:808"],
  "outside the global unicast range": ["::7f00:1", "::808:808", "4000::1", "1::1"],
  "no address": ["", "localhost", "1.2.3.4.5", "::g"]
}

const embedded: Readonly<Record<string, string | undefined>> = {
  "::127.0.0.1": "this machine",
  "::ffff:127.0.0.1": "this machine",
  "::ffff:7f00:1": "this machine",
  "::ffff:10.1.2.3": "a private address",
  "::ffff:8.8.8.8": undefined,
  "64:ff9b::7f00:1": "this machine",
  "64:ff9b::a9fe:a9fe": "a link-local address",
  "64:ff9b::8.8.8.8": undefined
}

const publicAddresses = [
  "8.8.8.8",
  "1.1.1.1",
  "93.184.216.34",
  "172.15.255.255",
  "172.32.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "11.0.0.0",
  "9.255.255.255",
  "223.255.255.255",
  "198.17.255.255",
  "198.20.0.0",
  "2606:4700::1111",
  "2a00:1450::1"
]

const refusalOf = (url: string, options?: AddressGuard.Options): string | undefined =>
  AddressGuard.make(options).refusalOfUrl(new URL(url))

describe("AddressGuard", () => {
  describe("kindOf", () => {
    for (const [kind, addresses] of Object.entries(refused)) {
      it(`knows ${kind}`, () => {
        for (const address of addresses) assert.strictEqual(AddressGuard.kindOf(address), kind, address)
      })
    }

    it("looks at the address that is inside another", () => {
      for (const [address, kind] of Object.entries(embedded)) {
        assert.strictEqual(AddressGuard.kindOf(address), kind, address)
      }
    })

    it("lets addresses of the public internet pass, up to the edges of what is not", () => {
      for (const address of publicAddresses) assert.isUndefined(AddressGuard.kindOf(address), address)
    })

    it.prop(
      "treats an IPv4 address and the same one mapped into IPv6 alike",
      { address: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 - 1 })) },
      ({ address }) => {
        const octets = [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".")
        assert.strictEqual(AddressGuard.kindOf(`::ffff:${octets}`), AddressGuard.kindOf(octets))
      }
    )
  })

  describe("refusalOfUrl", () => {
    it("sees through every way of writing an address", () => {
      for (
        const host of [
          "127.0.0.1",
          "2130706433",
          "0x7f000001",
          "0x7f.1",
          "0177.0.0.1",
          "127.1",
          "127.0.0.1.",
          "[::1]",
          "[::ffff:127.0.0.1]",
          "[0:0:0:0:0:0:0:1]",
          "\uFF11\uFF12\uFF17.0.0.1"
        ]
      ) assert.isDefined(refusalOf(`http://${host}/`), host)
    })

    it("says nothing of names, which have to be looked up", () => {
      for (const host of ["example.com", "localhost", "127.0.0.1.example.com", "intranet"]) {
        assert.isUndefined(refusalOf(`http://${host}/`), host)
      }
    })

    it("says what was found, what was expected, and what to do", () => {
      assert.strictEqual(
        refusalOf("http://10.0.0.1:8080/x"),
        "10.0.0.1 is a private address; expected a public address: to fetch it all the same, name http://10.0.0.1:8080 in allowPrivate"
      )
      assert.strictEqual(
        AddressGuard.make().refusalOfAddress(new URL("http://a.example/"), "::1"),
        "a.example resolves to ::1, which is this machine; expected a public address: to fetch it all the same, name http://a.example in allowPrivate"
      )
    })
  })

  describe("startUrls", () => {
    const opened = (startUrl: string, url: string, address = "127.0.0.1"): boolean =>
      AddressGuard.make({ startUrls: [startUrl] }).refusalOfAddress(new URL(url), address) === undefined

    it("open their own host and port, if they are private as they are written", () => {
      for (
        const host of [
          "127.0.0.1:3000",
          "[::1]:3000",
          "192.168.0.7:3000",
          "localhost:3000",
          "a.localhost:3000",
          "intranet:3000",
          "printer.local:3000",
          "wiki.internal:3000",
          "nas.home.arpa:3000",
          "router.lan:3000",
          "site.test:3000",
          "localhost.:3000"
        ]
      ) {
        assert.isTrue(opened(`http://${host}/a`, `http://${host}/b`), host)
        assert.isFalse(opened(`http://${host}/a`, `http://${host.replace("3000", "3001")}/b`), host)
        assert.isFalse(opened(`http://${host}/a`, "http://example.com:3000/"), host)
        assert.isFalse(opened(`http://${host}/a`, "http://10.0.0.1:3000/"), host)
      }
    })

    it("open the port that their scheme has by itself", () => {
      assert.isTrue(opened("http://localhost/", "http://localhost:80/"))
      assert.isFalse(opened("http://localhost/", "https://localhost/"))
      assert.isTrue(opened("https://localhost/", "https://localhost:443/"))
    })

    it("open nothing if they have a public name, whatever it resolves to", () => {
      for (const host of ["example.com", "local.example.com", "internal.example", "8.8.8.8"]) {
        assert.isFalse(opened(`http://${host}/`, `http://${host}/`), host)
      }
    })
  })

  describe("allowPrivate", () => {
    it("opens what it names, by host and port, even where credentials are handed out", () => {
      const guard = AddressGuard.make({
        allowPrivate: ["https://wiki.example.com", new URL("http://169.254.169.254/")]
      })
      assert.isUndefined(guard.refusalOfAddress(new URL("https://wiki.example.com/a"), "10.0.0.1"))
      assert.isDefined(guard.refusalOfAddress(new URL("http://wiki.example.com/a"), "10.0.0.1"))
      assert.isUndefined(guard.refusalOfUrl(new URL("http://169.254.169.254/latest")))
    })

    it("opens everything but what hands out credentials, if it is true", () => {
      const guard = AddressGuard.make({ allowPrivate: true })
      const url = new URL("http://a.example/")
      for (const address of ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "169.254.1.1", "::ffff:10.0.0.1"]) {
        assert.isUndefined(guard.refusalOfAddress(url, address), address)
      }
      for (
        const address of [
          "169.254.169.254",
          "169.254.170.2",
          "fd00:ec2::254",
          "100.100.100.200",
          "::ffff:169.254.169.254",
          "64:ff9b::a9fe:a9fe"
        ]
      ) assert.isDefined(guard.refusalOfAddress(url, address), address)
    })
  })

  it("refuses options that are no URLs", () => {
    assert.throws(
      () => AddressGuard.make({ startUrls: ["localhost:3000"] }),
      "AddressGuard.make: startUrls must hold http or https URLs, got localhost:3000"
    )
    assert.throws(
      () => AddressGuard.make({ allowPrivate: ["10.0.0.1"] }),
      "AddressGuard.make: allowPrivate must hold http or https URLs, got 10.0.0.1"
    )
  })
})
