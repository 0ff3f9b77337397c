import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import { decodeKey } from './key.ts'
import { seal, sealingKey, unseal } from './sealed.ts'
import { isSealed, openFile, sealFile } from './sealedfile.ts'

const key = sealingKey(new Uint8Array(randomBytes(32)))
const other = sealingKey(new Uint8Array(randomBytes(32)))
const bytes = fc.uint8Array({ maxLength: 300 })

describe('sealed bytes', () => {
  test('open with their key and purpose, and with no other', () => {
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), (plain, purpose, another) => {
        const sealed = seal(key, purpose, plain)
        expect(unseal(key, purpose, sealed)).toEqual(Buffer.from(plain))
        expect(unseal(other, purpose, sealed)).toBeUndefined()
        if (another !== purpose) expect(unseal(key, another, sealed)).toBeUndefined()
      }),
    )
  })

  test('do not open when a bit of them is another', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (plain, at, change) => {
        const sealed = Buffer.from(seal(key, 'x', plain), 'base64url')
        const place = at % sealed.length
        sealed[place] = (sealed[place] ?? 0) ^ change
        expect(unseal(key, 'x', sealed.toString('base64url'))).toBeUndefined()
      }),
    )
  })

  test('are never the same twice', () => {
    const plain = new Uint8Array(8)
    const all = Array.from({ length: 100 }, () => seal(key, 'x', plain))
    expect(new Set(all).size).toBe(100)
  })

  test('are not what somebody wrote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(unseal(key, 'x', text)).toBeUndefined()
      }),
    )
  })
})

test('a sealed file is of one scope, name and version', () => {
  const ref = { scope: 'log', name: 'main', version: 1 } as const
  const plain = new TextEncoder().encode('a key')
  const file = sealFile(key, ref, plain)
  expect(isSealed(file)).toBe(true)
  expect(openFile(key, ref, file)).toEqual(Buffer.from(plain))
  for (const not of [{ version: 2 }, { name: 'other' }, { scope: 'witness' as const }])
    expect(openFile(key, { ...ref, ...not }, file)).toBeUndefined()
})

test('whatever a file holds, it is a key or a typed refusal', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (file) => {
        expect(isSealed(file)).toBe(false)
        try {
          decodeKey('a file', file)
        } catch (error) {
          expect(error).toBeInstanceOf(CustodyError)
          return
        }
        throw new Error('a key was made up')
      },
    ),
  )
})
