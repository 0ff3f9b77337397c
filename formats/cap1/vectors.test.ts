/** The committed vectors: each token is what its vector says, and each is wrong in the way it is named after. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ed25519Key, fromBase64url, toBase64url, toHex, verifyEd25519 } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { TokenVector } from '../../scripts/cap1-vectors.ts'
import { type Presentation, proofMessage, readToken, verifyToken } from './index.ts'

interface File {
  readonly issuer: { readonly publicKey: string }
  readonly tokens: readonly TokenVector[]
  readonly proof: Presentation & {
    readonly key: string
    readonly message: string
    readonly signature: string
  }
}
const path = join(import.meta.dirname, '../../test/vectors/cap1.json')
const file = JSON.parse(readFileSync(path, 'utf8')) as Json as unknown as File
const bytes = (text: string): Uint8Array => fromBase64url(text) as Uint8Array
const issuer = ed25519Key(bytes(file.issuer.publicKey))

function verdictOf(text: string): TokenVector['expect'] {
  const token = readToken(text)
  return 'problem' in token ? token.problem : verifyToken(token, [issuer])
}

describe('token vectors', () => {
  it.each(file.tokens)('$expect: $name', ({ token, expect: expected, handles }) => {
    expect(verdictOf(token)).toBe(expected)
    const read = readToken(token)
    if (handles === undefined || 'problem' in read) return expect(expected).not.toBe('valid')
    expect(read.blocks.map(({ handle }) => handle)).toEqual(handles)
    expect(verifyToken(read, [])).toBe('signature_invalid')
  })

  it('are all different, and each problem has some', () => {
    const { tokens } = file
    expect(new Set(tokens.map(({ name }) => name)).size).toBe(tokens.length)
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(tokens.length)
    expect(Object.keys(Object.groupBy(tokens, (each) => each.expect)).sort()).toEqual(
      'malformed,signature_invalid,too_large,valid,weak_key'.split(','),
    )
  })
})

it('token vectors give the same without node:crypto, as in a browser', async () => {
  vi.resetModules()
  vi.stubGlobal('process', {})
  const crypto = await import('../../core/crypto.ts')
  const browser = await import('./index.ts')
  vi.unstubAllGlobals()
  expect(browser.verifyToken).not.toBe(verifyToken)
  const key = crypto.ed25519Key(bytes(file.issuer.publicKey))
  expect(key.handle).toBeUndefined()
  for (const { name, token, expect: expected } of file.tokens) {
    const read = browser.readToken(token)
    expect([name, 'problem' in read ? read.problem : browser.verifyToken(read, [key])]).toEqual([
      name,
      expected,
    ])
  }
})

describe('the proof vector', () => {
  const { key, message, signature, ...presentation } = file.proof

  it('is what a holder signs', () => {
    expect(toHex(proofMessage(presentation))).toBe(message)
    const signed = proofMessage(presentation)
    expect(verifyEd25519(ed25519Key(bytes(key)), signed, bytes(signature))).toBe(true)
    const token = readToken(presentation.token)
    expect('problem' in token ? token : token.authority.cnf).toBe(key)
  })

  it.each<[string, Partial<Presentation>]>([
    ['token', { token: `${presentation.token}A` }],
    ['audience', { audience: 'cell-B' }],
    ['nonce', { nonce: 'nonce-2' }],
    ['time', { time: presentation.time + 1 }],
    ['request', { request: { op: 'write' } }],
  ])('covers the %s', (_, change) => {
    expect(toBase64url(proofMessage({ ...presentation, ...change }))).not.toBe(
      toBase64url(proofMessage(presentation)),
    )
  })
})
