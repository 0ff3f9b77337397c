/** Scenarios of capability tokens: our own, the shared ones, and what the runner says of them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { compiler } from '../rego.ts'
import { readText, root } from '../source.ts'
import { MUTATIONS } from './capability/mutations.ts'
import { readScenarios } from './capability/scenario.ts'
import { runCases } from './runner.ts'

const OWN = join(root, 'test/cases/capability.json')
const folder = mkdtempSync(join(tmpdir(), 'assay-cases-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterAll(() => compiler.close())

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function run(path: string): Promise<readonly [passed: number, ...lines: string[]]> {
  const lines: string[] = []
  const { failed, passed } = await runCases('capability', path, (line) => lines.push(line))
  expect(lines.length).toBe(failed)
  return [passed, ...lines]
}

/** Every reason for which a token is refused, in `plugins/capability/README.md`. */
const REASONS =
  'audience_mismatch caveat_denied issuer_mismatch issuer_unknown lease_expired lease_generation_stale lease_revoked lease_unknown malformed malformed_caveat not_yet_valid proof_invalid proof_missing replayed resource_fenced resource_mismatch revocations_stale signature_invalid token_revoked too_large ttl_exceeds_max unsupported_caveat weak_key'

test('all of ours come out as they should', { timeout: 240_000 }, async () => {
  const { readings } = await readScenarios(OWN)
  expect(await run(OWN)).toEqual([readings.length])
})

test('ours reach every reason and every way of tampering', async () => {
  const { readings } = await readScenarios(OWN)
  const scenarios = readings.flatMap((one) => ('scenario' in one ? [one.scenario] : []))
  const sorted = (found: readonly (string | undefined)[]): string[] =>
    [...new Set(found.filter((one) => one !== undefined))].sort()
  expect(sorted(scenarios.map(({ reason }) => reason))).toEqual(REASONS.split(' '))
  expect(sorted(scenarios.map(({ mutate }) => mutate))).toEqual(Object.keys(MUTATIONS).sort())
})

const shared = fixture('capability', 'scenarios.json')
test.skipIf(shared === undefined)(
  shared === undefined ? FIXTURES_ABSENT : 'the shared ones come out as they should',
  { timeout: 120_000 },
  async () => {
    const path = shared as string
    const { readings } = await readScenarios(path)
    expect(await run(path)).toEqual([readings.length])
  },
)

describe('the runner', () => {
  const plain = { expect: 'accept', name: 'plain' }
  const { base } = JSON.parse(readText('test/cases/capability.json')) as {
    base: { mint: object; present: object }
  }
  const scenarios = (...items: readonly unknown[]): string =>
    file('cases.json', { base, scenarios: items })
  const caveat = (t: string, v: unknown): object => ({ attenuate: [[{ t, v }]] })

  test('names a case that differs, and says how', { timeout: 60_000 }, async () => {
    const path = scenarios(
      plain,
      { ...plain, name: 'not refused', expect: 'refuse' },
      { ...plain, name: 'not accepted', mutate: 'append one byte' },
      {
        expect: 'refuse',
        mutate: 'append one byte',
        name: 'another reason',
        reason: 'weak_key',
      },
      { expect: 'refuse', mutate: 'append one byte', name: 'any reason' },
    )
    expect(await run(path)).toEqual([
      2,
      'not refused: expected refuse, got accept',
      'not accepted: expected accept, got refuse (malformed)',
      'another reason: expected refuse (weak_key), got refuse (malformed)',
    ])
  })

  test('goes on after a case that it cannot judge', { timeout: 60_000 }, async () => {
    const path = scenarios(
      { ...plain, surprise: 1 },
      { ...plain, mutate: 'magic' },
      { ...plain, state: { revoked: ['@nobody'] } },
      null,
      plain,
    )
    const [passed, ...lines] = await run(path)
    expect(passed).toBe(1)
    for (const line of lines) expect(line).toMatch(/: expected a verdict, got none \(/)
    expect(lines).toHaveLength(4)
  })

  test('takes what may be left out, and tokens of anything', { timeout: 60_000 }, async () => {
    const refused = (reason: string, more: object): object => ({
      ...{ expect: 'refuse', name: reason, reason },
      ...more,
    })
    const { attenuate: _, mint, present } = { attenuate: [], ...base }
    const path = file('cases.json', {
      scenarios: [
        refused('issuer_unknown', { mint, present, state: {} }),
        refused('lease_unknown', { mint, present, state: { registered_cells: ['cell-A'] } }),
        refused('malformed', { mint: {}, present, state: {} }),
        refused('malformed', { mint: { ...mint, issuer: 7 }, present, state: {} }),
        refused('malformed', { mint: { ...mint, resource: 'x'.repeat(600) }, present, state: {} }),
      ],
    })
    expect(await run(path)).toEqual([5])
  })

  test('holds tokens to the bounds of the file', { timeout: 60_000 }, async () => {
    const path = file('cases.json', {
      base: { ...base, expect: 'refuse' },
      max_ttl: 60,
      scenarios: [
        { name: 'long', reason: 'ttl_exceeds_max' },
        { name: 'short', mint: { exp: 60 }, expect: 'accept' },
        { name: 'early', mint: { iat: 16, exp: 60 }, reason: 'not_yet_valid' },
        { name: 'nearly', mint: { iat: 15, exp: 60 }, expect: 'accept' },
      ],
      skew: 5,
    })
    expect(await run(path)).toEqual([4])
  })

  test('knows the types of caveats that the format names, and no other', async () => {
    const wanted = { expect: 'refuse', reason: 'unsupported_caveat' }
    const path = scenarios(
      { name: 'known', ...caveat('op', ['submit']), expect: 'accept' },
      { name: 'ours', ...caveat('session', 's'), ...wanted },
      { name: 'counted', ...caveat('byte_budget', { bytes: 1 }), ...wanted },
      {
        name: 'remembered',
        mint: { cnf: 'h' },
        present: { proof: { key: 'h', nonce: 'n' } },
        state: { nonces: ['n'] },
        expect: 'refuse',
        reason: 'replayed',
      },
    )
    expect(await run(path)).toEqual([4])
  })

  const command = (...args: string[]): { status: number; output: string } => {
    try {
      const output = execFileSync(process.execPath, ['test/cases/run.ts', ...args], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { status: 0, output }
    } catch (error) {
      const { status, stdout, stderr } = error as {
        status: number
        stdout: string
        stderr: string
      }
      return { status, output: stdout + stderr }
    }
  }

  test('ends with the numbers, and with 1 when a case differs', { timeout: 60_000 }, async () => {
    const good = command('capability', scenarios(plain))
    expect(good).toEqual({ status: 0, output: '1 passed, 0 failed\n' })
    const bad = command('capability', scenarios({ ...plain, expect: 'refuse' }))
    expect(bad.status).toBe(1)
    expect(bad.output).toMatch(/^plain: expected refuse, got accept\n0 passed, 1 failed\n$/)
  })

  test('ends with 2 and one line when nothing can be judged', { timeout: 60_000 }, () => {
    const wrong = [
      ['nothing', OWN],
      ['capability'],
      ['capability', join(folder, 'absent.json')],
      ['capability', file('broken.json', '{')],
      ['capability', file('other.json', { cases: [] })],
    ]
    for (const args of wrong) {
      const { output, status } = command(...args)
      expect([args, status]).toEqual([args, 2])
      expect(output).toMatch(/^[^\n]+\n$/)
    }
  })
})
