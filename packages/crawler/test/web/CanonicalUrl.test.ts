import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as CanonicalUrl from "../../src/web/CanonicalUrl.ts"

const canonical = CanonicalUrl.make()
const of = (reference: string, base?: string, make = canonical) => Result.merge(make(reference, base))

describe("CanonicalUrl", () => {
  it.each([
    ["writes scheme and host in lower case", "HTTP://Example.ORG/A", "http://example.org/A"],
    ["drops the fragment", "http://a.org/x#y", "http://a.org/x"],
    ["drops an empty fragment and an empty query", "http://a.org/x?#", "http://a.org/x"],
    ["drops the default port of http", "http://a.org:80/", "http://a.org/"],
    ["drops the default port of https", "https://a.org:443/", "https://a.org/"],
    ["keeps another port", "https://a.org:80/", "https://a.org:80/"],
    ["fills in the empty path", "http://a.org", "http://a.org/"],
    ["resolves dot segments", "http://a.org/a/./b/../c/%2e%2E/d", "http://a.org/a/d"],
    ["drops user and password", "http://u:p@a.org/", "http://a.org/"],
    ["writes escapes with capital digits", "http://a.org/%c3%a9?q=%2f", "http://a.org/%C3%A9?q=%2F"],
    ["unescapes what needs no escape", "http://a.org/%7Ea%2Db%5f%41?%7e=%31", "http://a.org/~a-b_A?~=1"],
    ["keeps the escape of what means something", "http://a.org/a%2Fb%3Fc%23d%25e", "http://a.org/a%2Fb%3Fc%23d%25e"],
    ["escapes a percent sign that escapes nothing", "http://a.org/100%?q=%zz%4", "http://a.org/100%25?q=%25zz%254"],
    ["makes no escape out of two", "http://a.org/%%34%31", "http://a.org/%2541"],
    ["escapes what is not ASCII", "http://a.org/ä?ö", "http://a.org/%C3%A4?%C3%B6"],
    ["writes international hosts in ASCII", "http://Bücher.example/", "http://xn--bcher-kva.example/"],
    ["writes numeric hosts as four numbers", "http://0x7f.1/", "http://127.0.0.1/"],
    ["keeps the order of the query", "http://a.org/?b=2&a=1", "http://a.org/?b=2&a=1"],
    ["keeps a slash at the end", "http://a.org/x/", "http://a.org/x/"],
    ["drops white space around and line ends within", " http://a.org/a\n\tb ", "http://a.org/ab"]
  ])("%s", (_, reference, expected) => {
    assert.strictEqual(of(reference), expected)
  })

  it.each([
    ["?q", "http://a.org/b?q"],
    ["c/", "http://a.org/c/"],
    ["/", "http://a.org/"],
    ["//b.org", "http://b.org/"],
    ["", "http://a.org/b"],
    ["https:/c", "https://c/"]
  ])("resolves %j against its base", (reference, expected) => {
    assert.strictEqual(of(reference, "http://a.org/b"), expected)
  })

  it.each(
    [
      ["an address of mail", "mailto:a@b.org", "http://a.org/", "otherScheme"],
      ["a script", "javascript:void(0)", "http://a.org/", "otherScheme"],
      ["another scheme", "ftp://a.org/", undefined, "otherScheme"],
      ["no host", "http://", undefined, "notAUrl"],
      ["a reference without a base", "x", undefined, "notAUrl"],
      ["a reference with a wrong base", "x", "no base", "notAUrl"],
      ["a host that is none", "http://a b/", undefined, "notAUrl"],
      ["too long a path", `/${"x".repeat(2048 - "http://a.org/".length + 1)}`, "http://a.org/", "tooLong"],
      ["a picture", `data:image/png;base64,${"A".repeat(10_000)}`, "http://a.org/", "tooLong"]
    ] as const
  )("says why %s is no page", (_, reference, base, reason) => {
    assert.deepStrictEqual(of(reference, base), { reason, reference: reference.slice(0, 200) })
  })

  it("allows the length it is given, and no more", () => {
    const short = CanonicalUrl.make({ maxLength: 20 })
    assert.strictEqual(of("http://a.org/1234567", undefined, short), "http://a.org/1234567")
    assert.strictEqual(of("http://a.org/%31234567#long", undefined, short), "http://a.org/1234567")
    assert.strictEqual((of("http://a.org/12345678", undefined, short) as CanonicalUrl.NotAPage).reason, "tooLong")
  })

  it("drops the parameters it is told to, by name or beginning", () => {
    const make = CanonicalUrl.make({ dropParameters: ["sid", "utm_*"] })
    assert.strictEqual(
      of("http://a.org/?utm_a=1&b=2&sid&sidx=3&c&%75tm_=4", undefined, make),
      "http://a.org/?b=2&sidx=3&c"
    )
    assert.strictEqual(of("http://a.org/?sid=1", undefined, make), "http://a.org/")
    assert.strictEqual(of("http://a.org/?", undefined, make), "http://a.org/")
  })

  it("sorts parameters when it is told to", () => {
    const make = CanonicalUrl.make({ queryOrder: "sorted" })
    assert.strictEqual(of("http://a.org/?b=2&a=2&a=1&%61=0", undefined, make), "http://a.org/?a=0&a=1&a=2&b=2")
  })

  it("refuses options out of range, naming them", () => {
    assert.throws(
      () => CanonicalUrl.make({ maxLength: 15 }),
      "CanonicalUrl.make: maxLength must be a whole number >= 16, got 15"
    )
    assert.throws(
      () => CanonicalUrl.make({ queryOrder: "up" as never }),
      `CanonicalUrl.make: queryOrder must be "kept" or`
    )
  })

  // Characters that mean something in URLs, often enough to meet.
  const alphabet = [
    ..."aZ09-._~%2e41/\\?#&=:@;[] \n\t\"'<>|^`{}äß中",
    "\u{1F600}",
    "\uD800",
    "http://",
    "%zz",
    "%%",
    "..",
    "utm_",
    "xn--",
    "0x"
  ]
  const Text = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: alphabet.length - 1 })))
    .check(Schema.isMaxLength(40))
  const text = (indexes: ReadonlyArray<number>) => indexes.map((index) => alphabet[index]).join("")
  const makes = [
    canonical,
    CanonicalUrl.make({ dropParameters: ["a", "utm_*"], queryOrder: "sorted", maxLength: 64 })
  ]
  const many = { arbitrary: { runs: 3000 } }

  it.prop(
    "law: what it gives is its own canonical URL, and within the length",
    { reference: Text, isAbsolute: Schema.Boolean },
    ({ isAbsolute, reference }) => {
      for (const make of makes) {
        const once = make(`${isAbsolute ? "http://a.org/" : ""}${text(reference)}`, "https://b.org:8080/c/d?e")
        if (Result.isFailure(once)) continue
        assert.strictEqual(Result.merge(make(once.success)), once.success)
        assert.match(once.success, /^https?:\/\/[^/@?#]+\/[^#]*$/)
        assert.isAtMost(once.success.length, make === canonical ? 2048 : 64)
      }
    },
    many
  )

  it.prop("law: never throws, on any strings", { reference: Schema.String, base: Schema.String, own: Text }, (each) => {
    for (const make of makes) {
      make(each.reference, each.base)
      make(each.reference)
      make(each.reference, "http://a.org/")
      make(text(each.own), each.base)
      make(text(each.own))
    }
  }, many)

  it.prop(
    "law: references that mean the same come to the same",
    { path: Text, fragment: Text },
    ({ fragment, path }) => {
      const plain = text(path).replaceAll("#", "").replaceAll("%", "")
      const escaped = plain.replaceAll(/[A-Za-z0-9_~]/g, (character) => `%${character.codePointAt(0)!.toString(16)}`)
      assert.deepStrictEqual(
        of(`HTTP://u@A.org:80/x/y/../../z/${escaped}%6F#${text(fragment)}`),
        of(`http://a.org/z/${plain}o`)
      )
    },
    many
  )
})
