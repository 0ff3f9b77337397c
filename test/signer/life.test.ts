/**
 * Any order of steps: a node that takes every verifier set and one that misses some follow them all, one version is active at most, and custody is
 * never behind a revocation or ahead of what verifiers were told.
 */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { createEnvelope } from '../../formats/dsse/index.ts'
import { installPackage, type NodeAgent, openNodeAgent } from '../../node-agent/index.ts'
import { compiler } from '../rego.ts'
import { keyFolder, testFolder } from './folder.ts'
import { begin, ROOT, type Signing, signing, TASK } from './kit.ts'

afterAll(() => compiler.close())

type Step = { readonly verb: string; readonly pick: number; readonly wait: number }
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    verb: fc.constantFrom(
      ...['rotate', 'create', 'publish', 'activate', 'activate', 'retire', 'revoke', 'rollback'],
    ),
    pick: fc.nat(),
    wait: fc.constantFrom(0, 5, 90_000),
  }),
  { minLength: 8, maxLength: 12 },
)

/** What a step asks for, of the versions that there are. */
async function take(place: Signing, { pick, verb }: Step): Promise<void> {
  const { versions } = await place.key()
  const version = 1 + (pick % versions.length)
  const more: Readonly<Record<string, object>> = {
    activate: { override: 'test', version: versions.length },
    retire: { override: 'test', version },
    revoke: { reason: 'test', version },
    rollback: { reason: 'test', version },
  }
  await place.ask(`signer.${verb}`, { ...TASK, ...more[verb] } as Json)
}

/** Lets the time pass that custody waits for. */
async function quiet(place: Signing): Promise<void> {
  for (;;) {
    const before = JSON.stringify(await place.key())
    await expect.poll(async () => (await place.key()).creating.wanted).toBe(false)
    await expect.poll(async () => (await place.key()).pending.version).toBe(0)
    place.clock.advance(5000)
    await place.settled()
    if (JSON.stringify(await place.key()) === before) return
  }
}

async function check(place: Signing): Promise<void> {
  const { versions } = await place.key()
  const onRecord = versions.map(({ state }) => state)
  expect(onRecord.filter((state) => state === 'active')).toHaveLength(1)
  // What was overtaken in custody stays pre-active or active there only where the record has it so.
  expect(await place.states()).toEqual(onRecord)
}

async function live(all: readonly Step[]): Promise<void> {
  const place = await signing({ custody: await keyFolder() })
  try {
    await begin(place)
    const root = [(await place.key(ROOT)).versions[0]?.public_key ?? '']
    const dir = await testFolder()
    const node = (nodeId: string): NodeAgent =>
      openNodeAgent({ dir: join(dir, nodeId), nodeId, root, types: [installPackage] })
    const [always, sometimes] = [node('always'), node('sometimes')]
    for (const [at, step] of all.entries()) {
      await take(place, step)
      await quiet(place)
      await check(place)
      place.clock.advance(step.wait * 1000)
      const { envelope, set } = await place.set()
      const text = JSON.stringify(createEnvelope(envelope))
      for (const agent of at % 3 === 2 ? [always, sometimes] : [always])
        if (agent.version < set.version)
          expect([step.verb, agent.ingestSet(text)]).toEqual([
            step.verb,
            { accepted: true, version: set.version },
          ])
    }
  } finally {
    await place.kernel.close()
  }
}

test('verifiers and custody follow any life of a key', { timeout: 120_000 }, async () => {
  await fc.assert(fc.asyncProperty(steps, live), { numRuns: 3, endOnFailure: true })
})
