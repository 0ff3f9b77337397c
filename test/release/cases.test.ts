/** Every case, made here or shared, decided by a kernel with the policies as they ship. */
import { expect, test } from 'vitest'
import { Payload } from '../../core/request.ts'
import { agrees, type Case } from '../cases/kind.ts'
import { run } from '../cases/kinds/minisign.ts'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { CASES, keyTexts } from './cases.ts'
import { ANYONE, code, type Desk, openDesk, question } from './desk.ts'

test('each case has its verdict and its reason', async () => {
  const desks = new Map<string, Desk>()
  const wrong: string[] = []
  for (const each of CASES) {
    const pins = keyTexts(each)
    const desk = desks.get(pins.join()) ?? (await openDesk())
    if (!desks.has(pins.join())) await desk.pin(...pins)
    desks.set(pins.join(), desk)
    // Dry runs: no case sets a version that the next one is held against.
    const payload = Payload.fromJson(question(each.release, each.wanted))
    const verdict = await desk.kernel.check({ action: 'release.verify', payload, peer: ANYONE })
    const right = verdict.allow === (each.reason === 'ok') && code(verdict) === each.reason
    if (!right) wrong.push(`${each.name}: ${code(verdict)} instead of ${each.reason}`)
  }
  for (const desk of desks.values()) await desk.kernel.close()
  expect(wrong).toEqual([])
})

test('the shared releases', async (context) => {
  const manifest = fixture('minisign', 'manifest.json')
  if (manifest === undefined) return context.skip(FIXTURES_ABSENT)
  const cases: Case[] = []
  for await (const each of run(manifest)) cases.push(each)
  expect(cases.length).toBeGreaterThan(0)
  expect(cases.filter((each) => !agrees(each))).toEqual([])
})
