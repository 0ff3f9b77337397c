import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../core/json.ts'
import { assay } from '../test/command.ts'
import { root } from '../test/source.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

const config = join(root, 'examples/authzen/assay.yaml')
let dir: string
let place: readonly string[]
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-review-'))
  place = ['--config', config, '--data', join(dir, 'data')]
})
afterAll(() => rm(dir, { recursive: true, force: true }))

type Members = { readonly [name: string]: Json }
async function json(...args: string[]): Promise<{ code: number; value: Members }> {
  const { code, stdout } = await assay(...args, ...place, '--json')
  return { code, value: JSON.parse(stdout) as Members }
}
const searches = [
  { id: expect.stringMatching(/^[0-9a-f]{32}$/), index: expect.any(String), seal: 'sealed' },
]

describe('assay review', () => {
  test('says who can', async () => {
    const asked = ['review', 'who', '--action', 'view', '--resource', 'record:101']
    const { code, value } = await json(...asked)
    expect(code).toBe(0)
    expect(value).toEqual({
      action: 'view',
      resource: { type: 'record', id: '101' },
      subjects: ['alice', 'bob', 'carol', 'dan'].map((id) => ({ type: 'user', id })),
      searches,
    })
    const { stdout } = await assay(...asked, '--type', 'identity', ...place)
    expect(stdout).toMatch(/^of type identity, 0 can view record:101\nsearch /)
  })

  test('says what somebody can do to one resource', async () => {
    const asked = ['review', 'what', '--subject', 'user:alice', '--resource', 'record:101']
    const { code, value } = await json(...asked)
    expect([code, value.actions]).toEqual([0, ['delete', 'edit', 'view'].map((name) => ({ name }))])
    expect((await assay(...asked, ...place)).stdout).toContain(
      '\n  delete\n  edit\n  view\nsearch ',
    )
  })

  test('says what somebody can do to which resources, in pages too', async () => {
    const asked = ['review', 'what', '--subject', 'user:bob', '--type', 'record']
    const { value } = await json(...asked, '--action', 'edit', '--limit', '2')
    const [edit] = value.actions as readonly Members[]
    expect(edit).toMatchObject({
      action: 'edit',
      resources: ['102', '108', '114', '120'].map((id) => ({ type: 'record', id })),
      searches: [...searches, ...searches],
    })
    const { stdout } = await assay(...asked, '--action', 'view', 'edit', ...place)
    expect(stdout).toContain('\n       view  edit\n  101  yes   -\n  102  yes   yes\n')
  })

  test('is logged: its receipt is valid, and not run again', async () => {
    const { value } = await json('review', 'who', '--action', 'edit', '--resource', 'record:102')
    const [{ id = '' } = {}] = value.searches as readonly { id?: string }[]
    const file = join(dir, 'receipt.json')
    await writeFile(file, (await assay('receipt', id, ...place)).stdout)
    const trust = ['--trust', join(dir, 'data/trust.json')]
    const policies = ['--policies', join(root, 'examples/authzen/policies'), '--config', config]
    const { code, stdout } = await assay('verify', file, ...trust, ...policies)
    expect(code).toBe(0)
    expect(stdout).toContain('again: not run again: a search')
    expect(stdout).toContain('access.search-subject was allowed')
    expect((await assay('fsck', ...place, ...trust)).code).toBe(0)
  })

  test.each<[string, string[]]>([
    ['a resource that is none', ['who', '--action', 'view', '--resource', 'record']],
    ['a subject that is none', ['what', '--subject', ':x', '--resource', 'record:1']],
    ['neither a resource nor actions', ['what', '--subject', 'user:bob', '--type', 'record']],
    ['a limit that is none', ['who', '--action', 'view', '--resource', 'a:b', '--limit', '0']],
    [
      'a query that has no end',
      [
        'what',
        '--subject',
        'user:CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs',
        '--type',
        'todo',
        '--action',
        'can_read_todos',
      ],
    ],
  ])('of %s is 2', async (_, args) => {
    const { code, stdout } = await assay('review', ...args, ...place)
    expect([code, stdout]).toEqual([2, ''])
  })
})
