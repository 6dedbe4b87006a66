import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Scope from "../../src/web/Scope.ts"

const scope = (options?: Scope.Options, ...starts: ReadonlyArray<string>) =>
  Result.getOrThrow(Scope.make(starts.length === 0 ? ["https://example.org/docs/index.html"] : starts, options))

describe("Scope", () => {
  describe("within", () => {
    const urls = {
      start: "https://example.org/docs/index.html",
      below: "https://example.org/docs/a/b?c",
      beside: "https://example.org/doc",
      inQuery: "https://example.org/x?/docs/",
      plain: "http://example.org/docs/",
      port: "https://example.org:8443/docs/",
      subdomain: "https://www.example.org/docs/",
      like: "https://notexample.org/docs/",
      longer: "https://example.org.evil.com/docs/",
      user: "https://evil.com/https://example.org/docs/"
    }
    it.each(
      [
        ["host", "start below beside inQuery plain"],
        ["subdomains", "start below beside inQuery plain subdomain"],
        ["prefix", "start below plain"],
        ["any", "start below beside inQuery plain port subdomain like longer user"]
      ] as const
    )("%s lets what belongs in, and nothing else", (within, expected) => {
      const { refusal } = scope({ within })
      assert.strictEqual(
        Object.entries(urls).filter(([, url]) => refusal(url) === undefined).map(([name]) => name).join(" "),
        expected
      )
    })

    it("says what is wrong", () => {
      assert.deepStrictEqual(scope().refusal(urls.port), { reason: "otherHost", detail: "example.org:8443" })
      const { refusal } = scope({ within: "prefix" })
      assert.deepStrictEqual(refusal(urls.beside), { reason: "outsidePrefix", detail: "example.org/docs/" })
      assert.deepStrictEqual(refusal(urls.subdomain), { reason: "otherHost", detail: "www.example.org" })
    })

    it("goes by every start URL", () => {
      const { refusal } = scope({ within: "prefix" }, "http://a.org/x/", "http://b.org:81/y?z=/w/")
      for (const url of ["http://a.org/x/1", "http://b.org:81/2"]) assert.isUndefined(refusal(url))
      for (const url of ["http://a.org/y/1", "http://b.org/2"]) assert.isDefined(refusal(url))
    })

    it("refuses a word that is none of its own", () => {
      assert.throws(() => Scope.make([], { within: "site" as never }), "Scope.make: within must be")
    })
  })

  describe("include and exclude", () => {
    it("wants one that includes and none that excludes", () => {
      const { refusal } = scope({ include: ["/docs/", /\/API\//i], exclude: ["\\.pdf$", "[?&]print="] })
      assert.isUndefined(refusal("https://example.org/docs/a"))
      assert.isUndefined(refusal("https://example.org/api/a"))
      assert.deepStrictEqual(refusal("https://example.org/blog"), {
        reason: "notIncluded",
        detail: "\\/docs\\/, \\/API\\/"
      })
      assert.deepStrictEqual(refusal("https://example.org/docs/a.pdf"), { reason: "excluded", detail: "\\.pdf$" })
      assert.deepStrictEqual(refusal("https://example.org/?print="), { reason: "excluded", detail: "[?&]print=" })
      assert.strictEqual(refusal("https://example.com/docs/a.pdf")?.reason, "otherHost")
    })

    it("lets a start URL in whatever they say", () => {
      const { refusal } = scope({ include: ["x"], exclude: ["docs"] })
      assert.isUndefined(refusal("https://example.org/docs/index.html"))
    })

    it("forgets between two URLs where an expression matched", () => {
      const { refusal } = scope({ exclude: [/docs/g, /docs/y], include: [/a/gi] })
      for (let i = 0; i < 4; i++) {
        assert.strictEqual(refusal("https://example.org/docs/a")?.reason, "excluded")
        assert.isUndefined(refusal("https://example.org/A"))
      }
    })

    it.each(["include", "exclude"] as const)("names a wrong expression of %s", (option) => {
      const error = Result.merge(Scope.make([], { [option]: ["ok", "a(b"] }))
      assert.instanceOf(error, Scope.InvalidPattern)
      assert.match(
        (error as Scope.InvalidPattern).message,
        new RegExp(`^${option}: "a\\(b" is not a regular expression: `)
      )
    })
  })

  describe("content types", () => {
    it("are those of HTML by default; what has none is read", () => {
      const { contentTypes, typeRefusal } = scope()
      assert.deepStrictEqual(contentTypes, ["text/html", "application/xhtml+xml"])
      for (const type of [undefined, "text/html", "TEXT/HTML", "application/xhtml+xml"]) {
        assert.isUndefined(typeRefusal(type))
      }
      assert.deepStrictEqual(typeRefusal("text/htmlx"), { reason: "contentType", detail: "text/htmlx" })
    })

    it("may be any, or all of a kind", () => {
      assert.isUndefined(scope({ contentTypes: "any" }).typeRefusal("image/png"))
      const { typeRefusal } = scope({ contentTypes: ["Text/*", "image/png"] })
      assert.isUndefined(typeRefusal("text/csv"))
      assert.isUndefined(typeRefusal("image/png"))
      assert.isDefined(typeRefusal("image/jpeg"))
      assert.isDefined(typeRefusal("textile/x"))
    })
  })

  it.each([
    ["http://a.org/", "a.org"],
    ["https://a.org:1/x://y/", "a.org:1"],
    ["http://[::1]:8/?/", "[::1]:8"],
    ["http://a.org", "a.org"]
  ])("finds the host of %s", (url, host) => {
    assert.strictEqual(Scope.hostOf(url), host)
  })

  const Word = Schema.Literals(["a", "b", "x.a", "a.b", "x-a"])
  const Place = Schema.Struct({
    host: Word,
    port: Schema.Literals(["", ":81"]),
    path: Schema.Literals(["", "p/", "p/q", "pq/"])
  })
  const urlOf = ({ host, path, port }: typeof Place.Type) => `http://${host}${port}/${path}`

  it.prop("law: each scope holds what the narrower one does", { start: Place, url: Place }, ({ start, url }) => {
    const isIn = (within: Scope.Within) => scope({ within }, urlOf(start)).refusal(urlOf(url)) === undefined
    if (isIn("prefix")) assert.isTrue(isIn("host"))
    if (isIn("host")) assert.isTrue(isIn("subdomains"))
    assert.isTrue(isIn("any"))
    assert.strictEqual(isIn("host"), start.host === url.host && start.port === url.port)
  }, { arbitrary: { runs: 500 } })
})
