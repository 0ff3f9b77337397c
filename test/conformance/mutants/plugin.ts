/** `access`, broken on purpose: each mutant must fail in the law that it names. */
import type { Candidates, Effect, EffectPlan, FactField, Plugin } from '../../../core/plugin.ts'
import { accessSubject } from '../access-subject.ts'
import type { Law, Mutant } from '../laws.ts'
import { type PluginSubject, pluginLaws } from '../plugin.ts'

const original: Plugin = accessSubject.plugin

function broken(plugin: Partial<Plugin>): PluginSubject {
  return { ...accessSubject, plugin: { ...original, ...plugin } }
}

/** Facts after a change of mind. */
function reporting(change: (facts: Record<string, object>) => object): PluginSubject {
  return broken({
    facts: async (...asked) =>
      change((await original.facts(...asked)) as unknown as Record<string, object>),
  })
}

let calls = 0

/** Candidates after a change of mind. */
function listing(change: (found: Candidates, limit: number) => Candidates): PluginSubject {
  return broken({
    candidates: async (...asked) => {
      const found = await original.candidates!(...asked)
      return 'malformed' in found ? found : change(found, asked[2])
    },
  })
}

function planning(change: (plan: EffectPlan, effect: Effect) => EffectPlan): PluginSubject {
  const effects = Object.entries(original.effects!).map(([name, kind]) => [
    name,
    {
      ...kind,
      plan: (...asked: Parameters<typeof kind.plan>) => change(kind.plan(...asked), asked[0]),
    },
  ])
  return broken({ effects: Object.fromEntries(effects) })
}

export const laws: readonly Law<PluginSubject>[] = pluginLaws

export const mutants: readonly Mutant<PluginSubject>[] = [
  {
    name: 'answers an action of another plugin',
    law: 'actions and effects carry the name of their plugin',
    subject: broken({ actions: [...original.actions, 'other.act'] }),
  },
  {
    name: 'passes claims off as verified',
    law: 'claims live under the field claimed, and nothing else does',
    subject: broken({
      schema: {
        ...original.schema,
        subject: { ...(original.schema as { subject: FactField }).subject, trust: 'claimed' },
      } as Plugin['schema'],
    }),
  },
  {
    name: 'finds every payload malformed',
    law: 'a valid request becomes facts that conform, with the evidence valid',
    subject: reporting((facts) => ({ ...facts, payload: { check: 'malformed', problem: '/' } })),
  },
  {
    name: 'throws on a payload that it cannot read',
    law: 'any payload becomes facts that conform',
    subject: broken({
      facts: (request, ...rest) => {
        request.payload.json()
        return original.facts(request, ...rest)
      },
    }),
  },
  {
    name: 'reports a field that it does not declare',
    law: 'any payload becomes facts that conform',
    subject: reporting((facts) => ({ ...facts, payload: { ...facts.payload, hint: 1 } })),
  },
  {
    name: 'passes the order of the payload on',
    law: 'the order of members is fixed, whatever the order in the payload',
    subject: broken({
      facts: async (request, ...rest) => {
        const facts = await original.facts(request, ...rest)
        const { subject = {} } = Object(request.payload.json())
        const properties = Object(subject).properties ?? {}
        return { ...facts, claimed: { ...Object(facts).claimed, subject: properties } }
      },
    }),
  },
  {
    name: 'counts its calls',
    law: 'the same request over the same records gives the same facts',
    subject: reporting((facts) => ({
      ...facts,
      roles: { ...facts.roles, assigned: [`${++calls}`] },
    })),
  },
  {
    name: 'does not look at the signal',
    law: 'nothing is read after the signal has aborted',
    subject: broken({
      facts: (request, read, now) =>
        original.facts(request, read, now, new AbortController().signal),
    }),
  },
  {
    name: 'reads a record twice',
    law: 'every key fits the store, and each record is read once',
    subject: broken({
      facts: async (request, read, ...rest) => {
        const facts = await original.facts(request, read, ...rest)
        await original.facts(request, read, ...rest)
        return facts
      },
    }),
  },
  {
    name: 'makes keys of any length',
    law: 'every key fits the store, and each record is read once',
    subject: broken({
      facts: async (request, read, ...rest) => {
        await read.get(`payload/${request.payload.text.repeat(8)}`)
        return original.facts(request, read, ...rest)
      },
    }),
  },
  {
    name: 'looks at a clock',
    law: 'it learns nothing but from the request and its reads',
    subject: broken({
      facts: (request, read, _now, signal) => original.facts(request, read, Date.now(), signal),
    }),
  },
  {
    name: 'declares an effect that takes anything',
    law: 'every effect has a closed schema that names its kind',
    subject: broken({
      effects: {
        ...original.effects,
        'access.close-session': {
          ...original.effects!['access.close-session']!,
          schema: { json: {}, problem: () => undefined },
        },
      },
    }),
  },
  {
    name: 'writes a record that it did not read',
    law: 'a plan is pure and writes only what facts read guarded, each record once',
    subject: planning((plan) => ({
      writes: [...(plan.writes ?? []), { put: 'elsewhere', value: 1 }],
    })),
  },
  {
    name: 'plans differently each time',
    law: 'a plan is pure and writes only what facts read guarded, each record once',
    subject: planning((plan) => ({ ...plan, output: { call: ++calls } })),
  },
  {
    name: 'documents a reason that no rule has',
    law: 'the README lists exactly the reasons that Rego has',
    subject: {
      ...accessSubject,
      readme: accessSubject.readme.replace('| `frozen` |', '| `imaginary` | |\n| `frozen` |'),
    },
  },
  {
    name: 'keeps a reason to itself',
    law: 'the README lists exactly the reasons that Rego has',
    subject: { ...accessSubject, readme: accessSubject.readme.replace(/^\| `frozen` \|.*$/m, '') },
  },
  {
    name: 'has a reason that no test reaches',
    law: 'every reason is expected by a Rego test',
    subject: {
      ...accessSubject,
      rego: Object.fromEntries(
        Object.entries(accessSubject.rego).filter(([path]) => !path.endsWith('state_test.rego')),
      ),
    },
  },
  {
    name: 'overlooks the last candidate',
    law: 'candidates are everything that the records or the policy know',
    subject: listing(({ items, unused }) => ({ items: items.slice(0, -1), unused })),
  },
  {
    name: 'ends after one page',
    law: 'candidates have rising cursors, and pages of any size go on where the last one ended',
    subject: listing(({ items, unused }) => ({ items, unused })),
  },
  {
    name: 'lists backwards',
    law: 'candidates have rising cursors, and pages of any size go on where the last one ended',
    subject: listing((found) => ({ ...found, items: found.items.toReversed() })),
  },
  {
    name: 'asks the same about all candidates',
    law: 'what is asked about a candidate is a valid request, each a different one',
    subject: listing((found) => ({
      ...found,
      items: found.items.map((item) => ({ ...item, payload: found.items[0]!.payload })),
    })),
  },
  {
    name: 'throws on a query that it cannot read',
    law: 'any query is either listed or malformed, and one that says nothing is malformed',
    subject: broken({
      candidates: (query, ...rest) => {
        query.payload.json()
        return original.candidates!(query, ...rest)
      },
    }),
  },
]
