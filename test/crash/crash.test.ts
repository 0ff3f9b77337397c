/**
 * Kill -9 under load: what a client was told stays true. `ROUNDS` and `SEED` repeat a run or make it longer; `npm run soak` does a
 * thousand. The mutant shows that the audit can fail: without it a test like this passes by looking away.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { audit, type Evidence, rootOf } from './audit.ts'
import { Ledger } from './ledger.ts'
import { crashRounds } from './rounds.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 50)
const SEED = Number(process.env.SEED ?? 1)

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test(`${ROUNDS} kills leave every acknowledged decision in the log once, with its effects, and nothing half done`, {
  timeout: 60_000 + ROUNDS * 6_000,
}, async () => {
  const report = await crashRounds({ folder: temporary(), rounds: ROUNDS, seed: SEED })
  console.log(`kill -9, seed ${SEED}, ${ROUNDS} rounds:`, JSON.stringify(report))
  expect(report.problems).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(ROUNDS * 5)
  expect(report.unanswered + report.retried).toBeGreaterThan(ROUNDS)
})

test('a server that acknowledges before its commit is found out', {
  timeout: 120_000,
}, async () => {
  const mutant = pathToFileURL(join(import.meta.dirname, 'mutants', 'late-commit.ts')).href
  const env = { NODE_OPTIONS: `--import ${mutant}` }
  const report = await crashRounds({ folder: temporary(), rounds: 4, seed: SEED, env })
  expect(report.acknowledged).toBeGreaterThan(20)
  expect(report.problems.join('\n')).toMatch(/acknowledged as [0-9a-f]{32}, yet not in the log/)
})

/** One acknowledged write, in the log and in the store. */
function soundEvidence(): Evidence {
  const ledger = new Ledger(join(temporary(), 'ledger'))
  onTestFinished(() => ledger.close())
  const entry = ledger.intend({ op: 7, action: 'access.put-resource', targets: ['only-7'] })
  ledger.acknowledge(entry, { id: 'a', allow: true, index: '0' })
  const leaf = { type: 'assay.decision/v1', id: 'a', action: 'access.put-resource', allow: true }
  const json = JSON.stringify(JSON.stringify({ attributes: { op: 7 } }))
  const text = JSON.stringify(leaf)
  const opened = { leaf: text, openings: { payload: { salt: '', json } } }
  return {
    ledger,
    leaves: [text],
    receipts: new Map([['a', { type: 'assay.receipt/v1', proof: '', ...opened }]]),
    invalidReceipts: [],
    records: [{ id: 'only-7', attributes: { op: 7 } }],
    heads: [],
  }
}

test('the audit accepts what is sound', () => {
  expect(audit(soundEvidence())).toEqual([])
})

const unsound: Readonly<Record<string, (sound: Evidence) => Evidence>> = {
  'a lost decision': (sound) => ({ ...sound, leaves: [], records: [] }),
  'a decision twice': (sound) => ({ ...sound, leaves: [...sound.leaves, ...sound.leaves] }),
  'an effect without its leaf': (sound) => ({
    ...sound,
    records: [...sound.records, { id: 'only-8', attributes: { op: 8 } }],
  }),
  'a part of an effect': (sound) => ({
    ...sound,
    records: [...sound.records, { id: 'team-9-first', roles: ['auditor'] }],
  }),
  'a count that does not fit': (sound) => ({
    ...sound,
    records: [...sound.records, { members: 1 }],
  }),
  'a leaf without its effect': (sound) => ({ ...sound, records: [] }),
  'a decision nobody asked for': (sound) => ({ ...sound, ledger: emptyLedger() }),
  'a receipt that is missing': (sound) => ({ ...sound, receipts: new Map() }),
  'a receipt that does not verify': (sound) => ({ ...sound, invalidReceipts: ['a'] }),
  'a head that was taken back': (sound) => ({
    ...sound,
    heads: [{ size: 1, rootHash: rootOf([]).toString('base64') }],
  }),
  'a head ahead of the log': (sound) => ({ ...sound, heads: [{ size: 2, rootHash: '' }] }),
}
function emptyLedger(): Ledger {
  const ledger = new Ledger(join(temporary(), 'ledger'))
  onTestFinished(() => ledger.close())
  return ledger
}

test.each(Object.keys(unsound))('the audit sees %s', (what) => {
  expect(audit(unsound[what]?.(soundEvidence()) as Evidence)).not.toEqual([])
})
