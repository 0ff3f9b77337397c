/**
 * Receipts: a decision that anyone can verify offline against a trust anchor, and, where nothing was erased, evaluate again.
 *
 * @see `core/log/receipt.schema.json`; https://c2sp.org/tlog-proof
 */
import { LogError } from '../error.ts'
import { type Json, parseJson } from '../json.ts'
import type { PolicyInput } from '../ports/engine.ts'
import { type Schema, schema } from '../schema.ts'
import { type TrustAnchor, verifyHead } from './anchor.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { commitment, decodeLeaf, leafHash, MAX_LEAF_BYTES } from './leaf.ts'
import { type DecisionLeaf, isKernelReason } from './leaves.ts'
import { parseNote } from './note.ts'
import { verifyInclusion } from './proof.ts'
import { parseTlogProof } from './tlogproof.ts'

/** A decision that anyone can verify offline against a trust anchor. */
export interface Receipt {
  readonly type: 'assay.receipt/v1'
  /** The leaf's bytes, verbatim: UTF-8 text (canonical JSON). */
  readonly leaf: string
  /** Values and salts behind the leaf's commitments; absent when erased. */
  readonly openings?: Openings
  /** A C2SP tlog-proof: index, inclusion proof, checkpoint. */
  readonly proof: string
}

/** `json` is the exact text that was committed to. */
export interface Opening {
  /** 32 hex digits: 128 random bits. */
  readonly salt: string
  readonly json: string
}
export type Openings = { readonly [field: string]: Opening }

/** UTF-8 bytes. */
const MAX_RECEIPT_BYTES = 16_777_216

const receiptSchema = schema.object(
  {
    type: schema.literal('assay.receipt/v1'),
    leaf: schema.string({ maxLength: MAX_LEAF_BYTES }),
    proof: schema.string({ maxLength: 262_144 }),
  },
  {
    openings: schema.record(
      schema.object({
        salt: schema.string({ maxLength: 32, pattern: /^[0-9a-f]{32}$/ }),
        json: schema.string({ maxLength: MAX_RECEIPT_BYTES }),
      }),
    ),
  },
)

/** JSON Schema 2020-12. */
export const receiptJsonSchema: Schema<Receipt>['json'] = receiptSchema.json

export function formatReceipt({ type, leaf, openings, proof }: Receipt): string {
  return `${JSON.stringify({ type, leaf, openings, proof }, null, 2)}\n`
}

/** Reads the form only: nothing is verified. @throws LogError `malformed` */
export function parseReceipt(text: string | Uint8Array): Receipt {
  let value: Json
  try {
    value = parseJson(text, { maxBytes: MAX_RECEIPT_BYTES, maxDepth: 4 })
  } catch (cause) {
    throw new LogError('log/receipt', 'malformed', 'a receipt is strict JSON', { cause })
  }
  const problem = receiptSchema.problem(value, '')
  if (problem !== undefined) throw new LogError('log/receipt', 'malformed', problem)
  return value as unknown as Receipt
}

/** One thing that was looked at. `name` is stable: `leaf`, `proof`, `origin`, `signature`, `inclusion`, `opening/<field>`, `verdict`. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Members are there as far as they could be read; believe them only when `ok`. */
export interface VerifiedReceipt {
  readonly ok: boolean
  readonly leaf?: DecisionLeaf
  readonly index?: bigint
  /** Leaves under the head that the receipt is proved from. */
  readonly size?: bigint
  readonly origin?: string
  readonly checks: readonly Check[]
}

/**
 * Whether the decision is in the log that `anchor` names, and the openings are what it was made of. Never throws for a bad receipt: it
 * reports. Does not say that the decision was right: evaluate {@link policyInput} again for that.
 */
export function verifyReceipt(receipt: Receipt, anchor: TrustAnchor): VerifiedReceipt {
  const checks = new Checks()
  const leaf = checks.run('leaf', () => [decisionOf(receipt.leaf), 'a well-formed decision'])
  const proof = checks.run('proof', () => [parseTlogProof(receipt.proof), 'a well-formed proof'])
  const origin = proof && checks.run('origin', () => originOf(proof.checkpoint, anchor))
  const head =
    proof &&
    checks.run('signature', () => {
      const found = verifyHead(proof.checkpoint, anchor)
      return [found, `the log signed its head of ${found.size} leaves`]
    })
  if (proof && head)
    checks.run('inclusion', () => {
      const { index, path } = proof
      if (!verifyInclusion(leafHash(receipt.leaf), index, head.size, path, head.root))
        throw new LogError('log/receipt', 'proof_invalid', 'the leaf is not at this place in it')
      return [true, `the leaf is number ${index} in it`]
    })
  if (leaf) checkOpenings(checks, leaf, receipt.openings ?? {})
  return {
    ok: checks.all.every(({ ok }) => ok),
    ...(leaf && { leaf }),
    ...(proof && { index: proof.index }),
    ...(head && { size: head.size }),
    ...(origin !== undefined && { origin }),
    checks: checks.all,
  }
}

class Checks {
  readonly all: Check[] = []

  /** What `work` found; undefined, and a failed check, when it throws. */
  run<T>(name: string, work: () => readonly [found: T, detail: string]): T | undefined {
    try {
      const [found, detail] = work()
      this.all.push({ name, ok: true, detail })
      return found
    } catch (error) {
      this.all.push({ name, ok: false, detail: error instanceof Error ? error.message : 'failed' })
      return undefined
    }
  }
}

function decisionOf(text: string): DecisionLeaf {
  const leaf = decodeLeaf(text)
  if (leaf.type !== 'assay.decision/v1')
    throw new LogError('log/receipt', 'malformed', 'the leaf is not of a decision')
  return leaf
}

function originOf(note: Uint8Array, anchor: TrustAnchor): [string, string] {
  const { origin } = parseCheckpoint(parseNote(note).text)
  if (origin !== anchor.origin)
    throw new LogError('log/receipt', 'untrusted_key', 'the proof is of another log than trusted')
  return [origin, 'the log that is trusted']
}

function checkOpenings(checks: Checks, leaf: DecisionLeaf, openings: Openings): void {
  for (const field of Object.keys(openings))
    if (!Object.hasOwn(leaf.commitments, field))
      checks.run(`opening/${field}`, () => {
        throw new LogError('log/receipt', 'malformed', 'the leaf does not commit to this')
      })
  for (const [field, digest] of Object.entries(leaf.commitments))
    checks.run(`opening/${field}`, () => {
      const opening = openings[field]
      if (opening === undefined) return [true, 'erased or withheld: only its commitment is here']
      if (commitment(field, opening.salt, opening.json) !== digest)
        throw new LogError('log/receipt', 'proof_invalid', 'this is not what was committed to')
      return [true, 'what was committed to']
    })
  const verdict = openings.verdict
  if (verdict !== undefined) checks.run('verdict', () => checkVerdict(leaf, verdict.json))
}

/** The kernel may refuse what the policy allows, and says so in its own reasons; never the other way round. */
function checkVerdict(leaf: DecisionLeaf, json: string): [boolean, string] {
  const { allow } = parseJson(json, OPENING_LIMITS) as { allow?: Json }
  if (allow === leaf.allow) return [true, 'the policy decided it']
  if (!leaf.allow && leaf.reasons.some(({ code }) => isKernelReason(code)))
    return [true, 'the kernel refused it, whatever the policy said']
  throw new LogError('log/receipt', 'inconsistent', 'the policy decided otherwise')
}

/** The kernel's own limits for facts are narrower. */
const OPENING_LIMITS = { maxBytes: MAX_RECEIPT_BYTES, maxDepth: 64 } as const

/**
 * What the policy was asked, to the byte. Undefined when something of it was erased, or it is not a decision. Verify the receipt first:
 * the openings are taken as they are.
 */
export function policyInput({ leaf: text, openings = {} }: Receipt): PolicyInput | undefined {
  try {
    const leaf = decisionOf(text)
    const request = openings.request
    const facts = Object.keys(leaf.commitments)
      .filter((field) => field.startsWith(FACTS))
      .map((field) => [field.slice(FACTS.length), openings[field]?.json] as const)
    if (request === undefined || facts.some(([, json]) => json === undefined)) return undefined
    const members = facts.map(([name, json]) => `${JSON.stringify(name)}:${json}`)
    const input = `{"facts":{${members.join(',')}},"now":${leaf.time},"request":${request.json}}`
    return { value: parseJson(input, OPENING_LIMITS), text: input }
  } catch {
    return undefined
  }
}
const FACTS = 'facts.'
