import { assert, describe, it } from "@effect/vitest"
import { linkText } from "../../src/internal/crawl/linkText.ts"

const place = (page: string, text = "") => ({ page, text, kind: "anchor" as const })

describe("linkText", () => {
  it("tells of each broken link and of the pages it stands in", () => {
    assert.strictEqual(
      linkText({
        targets: 9,
        unchecked: 2,
        broken: [
          {
            url: "https://a.org/1",
            verdict: "broken",
            status: 404,
            detail: "status 404",
            places: [place("https://a.org/", "One")]
          },
          {
            url: "https://a.org/2",
            verdict: "unclear",
            status: 403,
            detail: "status 403",
            places: [place("https://a.org/")]
          },
          { url: "https://a.org/3", verdict: "broken", status: undefined, detail: "nobody listens", places: [] }
        ]
      }),
      `https://a.org/1: status 404
  in https://a.org/ (One)
https://a.org/2: status 403 (unclear)
  in https://a.org/
https://a.org/3: nobody listens
2 of 9 links broken, 1 unclear, 2 not checked
`
    )
    assert.strictEqual(linkText({ targets: 3, unchecked: 0, broken: [] }), "0 of 3 links broken\n")
  })

  it("names ten pages of a link, and commands no terminal", () => {
    const places = Array.from({ length: 12 }, (_, i) => place(`https://a.org/${i}`, "red\u001b[31m\nline\u202e"))
    const text = linkText({
      targets: 1,
      unchecked: 0,
      broken: [{ url: "https://a.org/x", verdict: "broken", status: 404, detail: "status 404", places }]
    })
    assert.lengthOf(text.split("\n"), 14)
    assert.include(text, "  in https://a.org/9 (red [31m line )\n  and 2 more\n")
  })
})
