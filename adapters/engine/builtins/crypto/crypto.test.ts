import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callsOf, differences } from '../../../../test/builtins.ts'
import { mostly, texts } from '../../../../test/values.ts'
import { DIGESTS } from './digest.ts'
import { X509 } from './x509/index.ts'

const text = mostly(texts)

describe('cryptography', () => {
  it('digests as OPA does', async () => {
    const table = Object.fromEntries(
      Object.keys(DIGESTS).map((name) => [name, /hmac/.test(name) ? [text, text] : [text]]),
    )
    expect(await differences(callsOf(table, 20, 1))).toEqual([])
  })

  it('takes nothing for a certificate or a key that is none', async () => {
    const garbage = mostly(
      texts,
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.constantFrom(
        '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
        '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n',
        'MIID',
      ),
    )
    const names = Object.keys(X509).filter((name) => !/options$|keypair$/.test(name))
    const table = Object.fromEntries(names.map((name) => [name, [garbage]]))
    expect(await differences(callsOf(table, 25, 1))).toEqual([])
  })
})
