/** A token with ten caveats and four blocks, each of which may only narrow the one before: many small rules, a set of reasons. */
import { type Random, seeded } from '../../../crash/random.ts'
import { below, chance, hex, named, pick, sample, type Workload } from './workload.ts'

interface Data {
  readonly revoked: Readonly<Record<string, boolean>>
  readonly nonces: Readonly<Record<string, boolean>>
  readonly issuers: Readonly<Record<string, boolean>>
}
interface Caveat {
  readonly type: string
  readonly at?: number
  readonly key?: string
  readonly value?: number | string
  readonly values?: readonly string[]
}
interface Block {
  readonly exp: number
  readonly max_bytes: number
  readonly resource: string
  readonly actions: readonly string[]
}
interface Operation {
  readonly now: number
  readonly action: string
  readonly audience: string
  readonly partition: string
  readonly bytes: number
  readonly resource: string
  readonly labels: Readonly<Record<string, string>>
  readonly method: string
}
interface Question extends Operation {
  readonly token: {
    readonly id: string
    readonly issuer: string
    readonly caveats: readonly Caveat[]
    readonly blocks: readonly Block[]
  }
}

const ACTIONS = ['read', 'write', 'list']
const CELLS = 20
const NOW = 1_750_000_000
/** Half of all tokens are wrong in one of these ways. */
const FAULTS =
  'expires not_before audience action resource_prefix partition max_bytes node_label nonce_unused method widened later revoked'.split(
    ' ',
  )

function generate(
  scale: number,
  questions: number,
): { readonly data: Data; readonly inputs: readonly Question[] } {
  const random = seeded(13)
  const ids = (): string[] =>
    Array.from({ length: Math.round(5000 * scale) }, () => hex(random, 24))
  const [revoked, nonces] = [ids(), ids()]
  const all = (names: readonly string[]): Record<string, boolean> =>
    Object.fromEntries(names.map((name) => [name, true]))
  const data = { revoked: all(revoked), nonces: all(nonces), issuers: all(named('cell-', CELLS)) }
  const question = (): Question => {
    const operation = operationOf(random)
    const fault = chance(random, 0.5) ? pick(random, FAULTS) : undefined
    const caveats = caveatsOf(random, operation, fault, nonces)
    return {
      ...operation,
      token: {
        id: fault === 'revoked' ? pick(random, revoked) : hex(random, 24),
        issuer: `cell-${below(random, CELLS)}`,
        caveats: sample(random, caveats, caveats.length),
        blocks: blocksOf(operation, fault),
      },
    }
  }
  return { data, inputs: Array.from({ length: questions }, question) }
}

function operationOf(random: Random): Operation {
  return {
    now: NOW + below(random, 1_000_000),
    action: pick(random, ACTIONS),
    audience: `svc-${below(random, 30)}`,
    partition: `part-${below(random, 50)}`,
    bytes: below(random, 1 << 20),
    resource: `tenant/${below(random, 100)}/ckpt/${below(random, 1000)}/shard/${below(random, 64)}`,
    labels: { zone: `z${below(random, 4)}`, gpu: pick(random, ['h100', 'h200', 'b200']) },
    method: pick(random, ['GET', 'PUT']),
  }
}

function caveatsOf(
  random: Random,
  { audience, bytes, labels, now, partition, resource }: Operation,
  fault: string | undefined,
  nonces: readonly string[],
): Caveat[] {
  const wrong = (type: string): boolean => fault === type
  return [
    { type: 'expires', at: wrong('expires') ? now - 10 : now + 3600 },
    { type: 'not_before', at: wrong('not_before') ? now + 10 : now - 3600 },
    { type: 'audience', value: wrong('audience') ? 'svc-x' : audience },
    { type: 'action', values: wrong('action') ? ['none'] : ACTIONS },
    {
      type: 'resource_prefix',
      value: wrong('resource_prefix') ? 'other/' : resource.split('/').slice(0, 4).join('/'),
    },
    { type: 'partition', value: wrong('partition') ? 'part-x' : partition },
    { type: 'max_bytes', value: wrong('max_bytes') ? bytes - 1 : bytes + 1000 },
    { type: 'node_label', key: 'gpu', value: wrong('node_label') ? 'cpu' : (labels.gpu as string) },
    { type: 'nonce_unused', value: wrong('nonce_unused') ? pick(random, nonces) : hex(random, 24) },
    wrong('method')
      ? { type: 'geo_fence', value: 'eu' }
      : { type: 'method', values: ['GET', 'PUT'] },
  ]
}

function blocksOf({ now, resource }: Operation, fault: string | undefined): Block[] {
  const segments = resource.split('/')
  return Array.from({ length: 4 }, (_, i) => ({
    exp: fault === 'later' && i === 3 ? now + 90_000 : now + 9000 - i * 1000,
    max_bytes: (1 << 20) + 4000 - i * 1000,
    resource: segments.slice(0, i + 1).join('/'),
    actions: [
      ...(i === 0 ? [...ACTIONS, 'delete'] : ACTIONS),
      ...(fault === 'widened' && i === 2 ? ['admin'] : []),
    ],
  }))
}

type Holds = (caveat: Caveat, operation: Operation, data: Data) => boolean
const HOLDS: ReadonlyMap<string, Holds> = new Map<string, Holds>([
  ['expires', ({ at }, { now }) => now < (at as number)],
  ['not_before', ({ at }, { now }) => now >= (at as number)],
  ['audience', ({ value }, { audience }) => audience === value],
  ['action', ({ values }, { action }) => (values as string[]).includes(action)],
  ['resource_prefix', ({ value }, { resource }) => resource.startsWith(value as string)],
  ['partition', ({ value }, { partition }) => partition === value],
  ['max_bytes', ({ value }, { bytes }) => bytes <= (value as number)],
  ['node_label', ({ key, value }, { labels }) => labels[key as string] === value],
  ['nonce_unused', ({ value }, _, { nonces }) => nonces[value as string] !== true],
  ['method', ({ values }, { method }) => (values as string[]).includes(method)],
])

/** All reasons, as the policy gives them: not only the first. */
function byHand(data: Data): (question: Question) => boolean {
  return (question) => {
    const { blocks, caveats, id, issuer } = question.token
    const reasons: string[] = []
    if (data.revoked[id]) reasons.push('token_revoked')
    if (!data.issuers[issuer]) reasons.push('issuer_untrusted')
    for (const [i, caveat] of caveats.entries()) {
      const holds = HOLDS.get(caveat.type)
      if (holds === undefined) reasons.push(`caveat_unknown:${i}`)
      else if (!holds(caveat, question, data)) reasons.push(`caveat_failed:${i}`)
    }
    for (let i = 1; i < blocks.length; i++)
      if (!narrower(blocks[i - 1] as Block, blocks[i] as Block)) reasons.push(`widened:${i}`)
    return reasons.length === 0
  }
}

function narrower(parent: Block, block: Block): boolean {
  return (
    block.exp <= parent.exp &&
    block.max_bytes <= parent.max_bytes &&
    block.resource.startsWith(parent.resource) &&
    block.actions.every((action) => parent.actions.includes(action))
  )
}

export const capability: Workload = {
  name: 'capability',
  entrypoint: 'capability/decision',
  rego: `package capability

default allow := false

decision := {"allow": allow, "deny": deny}

allow if count(deny) == 0

known := {
	"action", "audience", "expires", "max_bytes", "method", "node_label",
	"nonce_unused", "not_before", "partition", "resource_prefix",
}

deny contains "token_revoked" if data.revoked[input.token.id]

deny contains "issuer_untrusted" if not data.issuers[input.token.issuer]

deny contains sprintf("caveat_unknown:%d", [i]) if {
	some i, caveat in input.token.caveats
	not caveat.type in known
}

deny contains sprintf("caveat_failed:%d", [i]) if {
	some i, caveat in input.token.caveats
	caveat.type in known
	not holds(caveat)
}

deny contains sprintf("widened:%d", [i]) if {
	some i, block in input.token.blocks
	i > 0
	not narrower(input.token.blocks[i - 1], block)
}

holds(caveat) if {
	caveat.type == "expires"
	input.now < caveat.at
}

holds(caveat) if {
	caveat.type == "not_before"
	input.now >= caveat.at
}

holds(caveat) if {
	caveat.type == "audience"
	input.audience == caveat.value
}

holds(caveat) if {
	caveat.type == "action"
	input.action in caveat.values
}

holds(caveat) if {
	caveat.type == "resource_prefix"
	startswith(input.resource, caveat.value)
}

holds(caveat) if {
	caveat.type == "partition"
	input.partition == caveat.value
}

holds(caveat) if {
	caveat.type == "max_bytes"
	input.bytes <= caveat.value
}

holds(caveat) if {
	caveat.type == "node_label"
	input.labels[caveat.key] == caveat.value
}

holds(caveat) if {
	caveat.type == "nonce_unused"
	not data.nonces[caveat.value]
}

holds(caveat) if {
	caveat.type == "method"
	input.method in caveat.values
}

narrower(parent, block) if {
	block.exp <= parent.exp
	block.max_bytes <= parent.max_bytes
	startswith(block.resource, parent.resource)
	every action in block.actions {
		action in parent.actions
	}
}
`,
  generate,
  byHand,
}
