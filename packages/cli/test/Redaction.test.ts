import { assert, describe, it } from "@effect/vitest"
import { Redaction } from "conveyor"
import { Redacted, Schema } from "effect"

describe("Redaction", () => {
  describe("redact", () => {
    it("masks values whose key says that they are secret, and all below", () => {
      assert.deepStrictEqual(
        Redaction.redact({
          password: "p",
          API_KEY: 5,
          headers: { Authorization: "Bearer x", Accept: "y" },
          secrets: ["a"],
          user: "u"
        }),
        {
          password: Redaction.mask,
          API_KEY: Redaction.mask,
          headers: { Authorization: Redaction.mask, Accept: "y" },
          secrets: [Redaction.mask],
          user: "u"
        }
      )
    })

    it("masks what the options decode to a redacted value", () => {
      assert.deepStrictEqual(
        Redaction.redact({ a: { pin: "1234" }, b: "x" }, { a: { pin: Redacted.make("1234") }, b: "x" }),
        { a: { pin: Redaction.mask }, b: "x" }
      )
    })

    it("masks the password in a URL, with an at sign in it too", () => {
      assert.deepStrictEqual(
        Redaction.redact(["mqtt://u:p@host:1883/x", "postgres://u:p@q@h/db", "http://host/a:b@c", "u:p@host"]),
        ["mqtt://u:<redacted>@host:1883/x", "postgres://u:<redacted>@h/db", "http://host/a:b@c", "u:p@host"]
      )
    })

    it("leaves switches as they are", () => {
      assert.deepStrictEqual(Redaction.redact({ token: true, secret: null }), { token: true, secret: null })
    })
  })

  describe("redactText", () => {
    it("finds a secret as it stands, in JSON and in a URL", () => {
      const secret = "a\"b/c d"
      const line = `${secret} ${JSON.stringify({ secret })} ${encodeURIComponent(secret)}`
      assert.strictEqual(
        Redaction.redactText(line, [secret]),
        `<redacted> {"secret":"<redacted>"} <redacted>`
      )
    })

    it.prop(
      "leaves no trace of what was found secret",
      { secret: Schema.String, text: Schema.String },
      ({ secret, text }) => {
        const value = `${secret}#long enough`
        const [found] = Redaction.secretsOf({ password: value })
        assert.strictEqual(found, value)
        assert.notInclude(Redaction.redactText(`${text}${value}${text}`, [found!]), value)
      }
    )
  })
})
