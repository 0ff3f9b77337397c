import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ALLOW,
  bundle,
  DENY,
  functionPolicy,
  type Kit,
  type KitOptions,
  kit,
  type PolicyArgs,
  submission,
} from '../../test/kernel/kit.ts'
import { EngineError } from '../error.ts'
import type { Json } from '../json.ts'
import type { Leaf, ShadowDifference, ShadowLeaf } from '../log/leaves.ts'
import type { Engine } from '../ports/engine.ts'

type Answer = (args: PolicyArgs) => unknown

/** Policies by the name of their bundle. An answer may be a promise, as that of an engine in a worker. */
function engineOf(policies: Readonly<Record<string, Answer>>): Engine {
  return {
    name: 'by-name',
    load: async (made) => functionPolicy(policies[made.digest.slice(-1)] as Answer, made),
  }
}

const WINDOW_MS = 20

async function shadowed(
  policies: Readonly<Record<string, Answer>>,
  options: KitOptions = {},
): Promise<Kit> {
  const limits = { windowMs: WINDOW_MS, ...options.limits }
  const made = await kit({ ...options, engine: engineOf(policies), limits })
  onTestFinished(() => made.kernel.close())
  return made
}

/** When everything was compared and logged. */
async function shadowLeaves(made: Kit, decisions: number): Promise<readonly ShadowLeaf[]> {
  let found: readonly ShadowLeaf[] = []
  const seen = async (): Promise<number> => {
    const leaves = (await made.leaves()) as unknown as readonly Leaf[]
    found = leaves.filter((leaf) => leaf.type === 'assay.shadow/v1')
    return found.reduce((sum, { compared, dropped }) => sum + compared + dropped, 0)
  }
  await expect.poll(seen, { timeout: 10_000, interval: WINDOW_MS }).toBe(decisions)
  return found
}

/** Counts by what changed, over all leaves. */
function sums(leaves: readonly ShadowLeaf[]): Record<string, number> {
  const total: Record<string, number> = {}
  const side = (reasons: ShadowDifference['live']): string =>
    reasons.map(({ code }) => code).join('+')
  for (const { differences } of leaves)
    for (const { action, change, count, live, shadow } of differences) {
      const name = `${action} ${change} ${side(live)} -> ${side(shadow)}`
      total[name] = (total[name] ?? 0) + count
    }
  return total
}

const digestOf = (name: string): string => bundle(name).digest

describe('a shadow', () => {
  test('has every difference counted by rule, with decisions to look into', async () => {
    const strict: Answer = ({ request }) => (request.action === 'note.write' ? DENY : ALLOW)
    const made = await shadowed({ a: () => ALLOW, b: strict })
    expect((await made.kernel.shadow(bundle('b')))?.digest).toBe(digestOf('b'))
    const flipped: string[] = []
    for (let i = 0; i < 6; i++)
      flipped.push((await made.kernel.decide(submission('note.write'))).id)
    for (let i = 0; i < 4; i++) await made.kernel.decide(submission('note.read'))

    const leaves = await shadowLeaves(made, 10)
    expect(sums(leaves)).toEqual({ 'note.write allow_to_deny owner -> not_owner': 6 })
    for (const leaf of leaves)
      expect(leaf).toMatchObject({ policy: digestOf('a'), shadow: digestOf('b'), dropped: 0 })
    const examples = leaves.flatMap(({ differences }) => differences.flatMap((d) => d.examples))
    expect(examples.length).toBeGreaterThan(0)
    expect(flipped).toEqual(expect.arrayContaining(examples))
  })

  test('is compared with the policy that was live, and named by its own digest', async () => {
    const made = await shadowed({ a: () => ALLOW, b: () => DENY, c: () => DENY, d: () => ALLOW })
    const { kernel } = made
    await kernel.shadow(bundle('b'))
    await kernel.decide(submission())
    await expect.poll(() => kernel.readiness().shadow?.waiting).toBe(0)
    await shadowLeaves(made, 1)
    await kernel.activate(bundle('c'))
    await kernel.decide(submission())
    await shadowLeaves(made, 2)
    await kernel.shadow(bundle('d'))
    await kernel.decide(submission())
    const leaves = await shadowLeaves(made, 3)
    expect(leaves.map(({ policy, shadow }) => [policy, shadow])).toEqual([
      [digestOf('a'), digestOf('b')],
      [digestOf('c'), digestOf('b')],
      [digestOf('c'), digestOf('d')],
    ])
    expect(sums(leaves)).toEqual({
      'note.read allow_to_deny owner -> not_owner': 1,
      'note.read deny_to_allow not_owner -> owner': 1,
    })
  })

  const broken: Readonly<Record<string, [Answer, string]>> = {
    throws: [
      () => {
        throw new Error('secret')
      },
      'kernel/policy_failed',
    ],
    rejects: [() => Promise.reject(new Error('secret')), 'kernel/policy_failed'],
    'takes too many steps': [
      () => {
        throw new EngineError('engine', 'budget_exhausted', 'secret')
      },
      'kernel/budget_exhausted',
    ],
    'says nothing': [() => undefined, 'kernel/invalid_verdict'],
    'says nonsense': [() => ({ allow: 'yes' }), 'kernel/invalid_verdict'],
    'attaches what nobody can do': [
      () => ({ ...ALLOW, obligations: [{ id: '1', type: 'dance' }] }),
      'kernel/unsupported_obligation',
    ],
    'names half a character': [
      () => ({ ...ALLOW, reasons: [{ code: 'owner', message: '', rule: '\ud800' }] }),
      'kernel/policy_failed',
    ],
    'never answers': [() => new Promise(() => {}), 'kernel/deadline'],
  }
  test.each(Object.entries(broken))('that %s differs as a denial', async (_, [answer, code]) => {
    const made = await shadowed({ a: () => ALLOW, b: answer }, { limits: { timeoutMs: 50 } })
    await made.kernel.shadow(bundle('b'))
    expect((await made.kernel.decide(submission())).allow).toBe(true)
    const leaves = await shadowLeaves(made, 1)
    expect(sums(leaves)).toEqual({ [`note.read allow_to_deny owner -> ${code}`]: 1 })
    expect(JSON.stringify(leaves)).not.toContain('secret')
  })

  test('that differs in effects, obligations or output only is seen to', async () => {
    const otherwise: Readonly<Record<string, Json>> = {
      effects: { effects: [{ kind: 'note.put', value: 1 }] },
      obligations: { obligations: [{ id: '1', type: 'log' }] },
      output: { output: { ttl: 5 } },
      reasons: { reasons: [{ code: 'admin', message: '', rule: 'note.admin' }] },
      nothing: { reasons: [{ ...ALLOW.reasons[0]!, message: 'in other words' }] },
    }
    for (const [what, part] of Object.entries(otherwise)) {
      const made = await shadowed({ a: () => ALLOW, b: () => ({ ...ALLOW, ...(part as object) }) })
      await made.kernel.shadow(bundle('b'))
      await made.kernel.decide({ ...submission(), obligations: ['log'] })
      const [leaf] = await shadowLeaves(made, 1)
      expect(leaf?.differences.map(({ change }) => change)).toEqual(
        what === 'nothing' ? [] : [what],
      )
      expect(await made.record()).toBeUndefined()
    }
  })

  test('is not asked about what no policy was asked: dry runs and unknown actions', async () => {
    const asked: string[] = []
    const note: Answer = ({ request }) => {
      asked.push(request.action)
      return ALLOW
    }
    const made = await shadowed({ a: () => ALLOW, b: note })
    await made.kernel.shadow(bundle('b'))
    await made.kernel.check(submission('note.sign'))
    await made.kernel.decide(submission('other.do'))
    await made.kernel.decide(submission('note.read'))
    expect((await shadowLeaves(made, 1)).map(({ compared }) => compared)).toEqual([1])
    expect(asked).toEqual(['note.read'])
  })

  test('with more to say than a leaf holds is counted whole', async () => {
    let count = 0
    const wordy = (allow: boolean) => (): unknown => {
      const rule = String(++count).padEnd(128, '界')
      const reasons = ['a', 'b', 'c'].map((code) => ({ code: code.repeat(64), message: '', rule }))
      return { ...(allow ? ALLOW : DENY), reasons }
    }
    const policies = { a: wordy(true), b: wordy(false) }
    const made = await shadowed(policies, { limits: { windowMs: 500 } })
    await made.kernel.shadow(bundle('b'))
    const ASKED = 200
    await Promise.all(Array.from({ length: ASKED }, () => made.kernel.decide(submission())))
    const leaves = await shadowLeaves(made, ASKED)
    const differing = leaves.flatMap(({ differences }) => differences)
    expect(differing.reduce((sum, difference) => sum + difference.count, 0)).toBe(ASKED)
  })

  test('that is too slow loses some, and every one lost is counted', async () => {
    const ASKED = 1500
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Answer = async () => {
      await gate
      return ALLOW
    }
    const made = await shadowed({ a: () => ALLOW, b: slow }, { limits: { timeoutMs: 60_000 } })
    await made.kernel.shadow(bundle('b'))
    const each = Array.from({ length: 3 }, async () => {
      for (let i = 0; i < ASKED / 3; i++) await made.kernel.decide(submission())
    })
    await Promise.all(each)
    expect(made.kernel.readiness().shadow).toMatchObject({ waiting: 1024, dropped: ASKED - 1025 })
    release()
    const leaves = await shadowLeaves(made, ASKED)
    expect(leaves.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(ASKED - 1025)
  })

  test('ends when it is told to, and what waited is counted as dropped', async () => {
    const made = await shadowed(
      { a: () => ALLOW, b: () => new Promise(() => {}) },
      { limits: { timeoutMs: 100 } },
    )
    await made.kernel.shadow(bundle('b'))
    for (let i = 0; i < 5; i++) await made.kernel.decide(submission())
    await made.kernel.shadow(undefined)
    expect(made.kernel.readiness().shadow).toBeUndefined()
    const leaves = await shadowLeaves(made, 5)
    expect(leaves.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(4)
  })

  test('without an entry point is refused, and the one before it stays', async () => {
    const made = await shadowed({ a: () => ALLOW, b: () => ALLOW, c: () => ALLOW })
    await made.kernel.shadow(bundle('b'))
    await expect(made.kernel.shadow(bundle('c', ['assay/other/decision']))).rejects.toMatchObject({
      code: 'invalid_bundle',
    })
    expect(made.kernel.readiness().shadow?.digest).toBe(digestOf('b'))
  })

  test('that began is in the log as a decision of the kernel', async () => {
    const made = await shadowed({ a: () => ALLOW, b: () => ALLOW })
    await made.kernel.shadow(bundle('b'))
    expect(await made.leaves()).toContainEqual(
      expect.objectContaining({ action: 'kernel.shadow-policy', policy: digestOf('b') }),
    )
  })
})

const answers = fc.constantFrom<Answer>(
  () => ALLOW,
  () => DENY,
  () => ({ ...ALLOW, effects: [{ kind: 'note.put', value: 'from the shadow' }] }),
  () => ({ ...DENY, effects: [{ kind: 'note.burn' }] }),
  () => {
    throw new Error('broken')
  },
  () => Promise.reject(new Error('broken')),
  () => 'nonsense',
  () => new Promise(() => {}),
)

test('whatever a shadow does, live answers, leaves and records are those without it', async () => {
  const requests = fc.array(
    fc.record({
      action: fc.constantFrom('note.read', 'note.sign', 'note.write'),
      value: fc.nat(3),
    }),
    { minLength: 1, maxLength: 6 },
  )
  const live: Answer = ({ facts, request }) => {
    const value = (facts.claimed as { value: number }).value
    if (value === 0) return DENY
    const effects = request.action === 'note.write' ? [{ kind: 'note.put', value }] : []
    return { ...ALLOW, effects }
  }
  await fc.assert(
    fc.asyncProperty(requests, answers, async (asked, answer) => {
      const runs = await Promise.all(
        [false, true].map(async (follow) => {
          const made = await kit({
            engine: engineOf({ a: live, b: answer }),
            limits: { timeoutMs: 60 },
          })
          if (follow) await made.kernel.shadow(bundle('b'))
          const seen: unknown[] = []
          for (const { action, value } of asked) {
            const { allow, obligations, reasons, seal } = await made.kernel.decide(
              submission(action, { value }),
            )
            seen.push({ allow, obligations, reasons, seal })
          }
          const leaves = (await made.leaves())
            .filter(({ action }) => String(action).startsWith('note.'))
            .map(({ action, allow, policy, reasons, revision, time }) => ({
              action,
              allow,
              policy,
              reasons,
              revision,
              time,
            }))
          const record = await made.record()
          await made.kernel.close()
          return { seen, leaves, record }
        }),
      )
      expect(runs[1]).toEqual(runs[0])
    }),
    { numRuns: 40 },
  )
})
