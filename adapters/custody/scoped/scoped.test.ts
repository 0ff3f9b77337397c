import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import type { Custody, KeyScope } from '../../../core/ports/custody.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { openFileCustody } from '../file/index.ts'
import { openScopedCustody } from './index.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-scoped-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const files = (name: string, scopes: readonly KeyScope[]): Promise<Custody> =>
  openFileCustody({ dir: join(folder, name), scopes })
const opening = async (parts: Parameters<typeof openScopedCustody>[0]): Promise<Custody> =>
  openScopedCustody(parts)

test('one custody a scope: two that serve one, and one that does not, are refused', async () => {
  const log = await files('a', ['log'])
  const both = await files('b', ['log', 'task'])
  const twice = [
    { scopes: ['log'], custody: log },
    { scopes: ['task', 'log'], custody: both },
  ] as const
  expect(await refusal(opening(twice))).toBe('misconfigured')
  expect(await refusal(opening([{ scopes: ['task'], custody: log }]))).toBe('misconfigured')
})

test('what a part serves besides its scopes is not seen', async () => {
  const all = await files('a', ['log', 'task'])
  await all.create('task', 'hidden')
  const custody = await opening([{ scopes: ['log'], custody: all }])
  expect(await refusal(custody.list('task'))).toBe('scope_mismatch')
})

test('it says what all parts can do, and each does what it can', async () => {
  const wide = await files('a', ['log'])
  const narrow: Custody = Object.assign(Object.create(await files('b', ['task'])), {
    algorithms: ['ecdsa-p256'],
    maxMessageBytes: 10,
  })
  const custody = await opening([
    { scopes: ['log'], custody: wide },
    { scopes: ['task'], custody: narrow },
  ])
  expect(custody.algorithms).toEqual(['ecdsa-p256'])
  expect(custody.maxMessageBytes).toBe(10)
  const key = await custody.create('log', 'main', 'ed25519')
  await custody.transition(key, 'active')
  const message = new Uint8Array(100)
  expect((await custody.sign({ key, purpose: 'test', message })).length).toBe(64)
})

test('every part is closed, also when one does not close', async () => {
  const log = await files('a', ['log'])
  const failing: Custody = Object.assign(Object.create(await files('b', ['task'])), {
    close: async () => {
      throw new CustodyError('custody/test', 'unavailable', 'it does not close')
    },
  })
  const custody = await opening([
    { scopes: ['task'], custody: failing },
    { scopes: ['log'], custody: log },
  ])
  expect(await refusal(custody.close())).toBe('unavailable')
  expect(await refusal(log.list('log'))).toBe('closed')
})
