/**
 * From the trust anchor to a capability token: the cell's key and the decision that bound it, the decision that signed the first block, and who
 * added each further one. Whether the token permits an operation is the plugin `capability`'s question; what counts against it now is said in
 * `standing.ts`.
 */
import { ed25519ChainKey, toBase64url, type VerifyKey, verifyEd25519 } from '../../core/crypto.ts'
import { findDecision } from '../../core/receipts.ts'
import { importKey } from '../../formats/call/index.ts'
import {
  authorityMessage,
  blockMessage,
  readToken,
  type Token,
  verifyToken,
} from '../../formats/cap1/index.ts'
import type { DecisionWalk, TrustPathPorts } from './decision.ts'
import { lastAllowed } from './find.ts'
import { bodyOf, membersOf, type Opened } from './opened.ts'
import { type Standing, standingSteps } from './standing.ts'
import type { Step } from './step.ts'
import { objectsIn, recordOf } from './stored.ts'

/** A key that its cell was bound to, as `enrolment` keeps it. */
interface IssuerKey {
  /** Its private half is kept here, and so its leases are in this log. */
  readonly local: boolean
  readonly publicKey: string
  readonly state: string
  readonly key: VerifyKey
}

/** What does not hold is a step, and no error. @throws StoreError, LogError, CompilerError */
export async function tokenSteps(
  text: string,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const token = readToken(text)
  if ('problem' in token)
    return [{ name: 'token', ok: false, detail: `it is ${token.problem.replace('_', ' ')}` }]
  const issuer = await issuerOf(token, ports)
  const standing: Standing = { token, ...(issuer && { publicKey: issuer.publicKey }) }
  return [
    { name: 'token', ok: true, detail: whatItIs(token) },
    ...(await issuerSteps(token, issuer, ports, walk)),
    ...(issuer === undefined ? [] : blockSteps(token, issuer)),
    ...(await grantSteps(token, issuer, ports, walk)),
    ...(await standingSteps(standing, ports)),
  ]
}

function whatItIs({ authority, blocks, last }: Token): string {
  const { aud, iss, lease, resource, tenant } = authority
  const end = 'seal' in last ? 'sealed' : 'not sealed'
  const count = blocks.length === 1 ? 'one block' : `${blocks.length} blocks`
  return `${blocks[0]?.handle}, ${count}, ${end}: ${iss} for ${aud}, ${resource} to ${tenant}, lease ${lease}`
}

/** The key that signed the first block, of all that the cell is known to have had. */
async function issuerOf(
  { authority, blocks }: Token,
  { store }: TrustPathPorts,
): Promise<IssuerKey | undefined> {
  const record = await recordOf(store, 'enrolment', `cell/${authority.iss}`)
  const [first] = blocks
  for (const { public_key, state } of objectsIn(record?.keys)) {
    const key = importKey(String(public_key))
    if (typeof key === 'string' || first === undefined) continue
    if (verifyEd25519(key, authorityMessage(first.payload), first.signature))
      return {
        local: record?.local === true,
        publicKey: String(public_key),
        state: String(state),
        key,
      }
  }
  return undefined
}

async function issuerSteps(
  { authority }: Token,
  issuer: IssuerKey | undefined,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const { iss } = authority
  const name = 'issuer'
  if (issuer === undefined)
    return [{ name, ok: false, detail: `no key that ${iss} was bound to signed it` }]
  const { publicKey, state } = issuer
  const bound = await lastAllowed(ports, ['enrolment.bind-cell'], (one) => {
    const body = bodyOf(one)
    return body.cell === iss && body.public_key === publicKey
  })
  if (bound === undefined)
    return [{ name, ok: false, detail: `no decision in the log bound ${publicKey} to ${iss}` }]
  const counts = state === 'active' || state === 'grace'
  const detail = `${publicKey} of ${iss}, bound as ${askedBy(bound)} asked; now ${state}`
  return [
    { name, ok: counts, detail, decision: bound.leaf.id, index: `${bound.index}` },
    ...(await walk.named(bound.leaf.id, 'issuer/')),
  ]
}

function askedBy(one: Opened): string {
  const { id, kind } = (membersOf(one, 'request').peer ?? {}) as { id?: string; kind?: string }
  return `${kind} ${id}`
}

/** Who could add each block: whoever held the key that the one before it names. */
function blockSteps(token: Token, { key, publicKey }: IssuerKey): readonly Step[] {
  const steps: Step[] = []
  let [signer, by]: [VerifyKey, string] = [key, publicKey]
  let previous: Uint8Array = new Uint8Array()
  for (const [i, { caveats, handle, nk, payload, signature }] of token.blocks.entries()) {
    const ok = verifyEd25519(signer, blockMessage(i, previous, payload), signature)
    const types = caveats.length === 0 ? 'no caveat' : caveats.map(({ t }) => t).join(', ')
    const said = ok ? `signed by ${by}, with ${types}` : `not signed by ${by}`
    steps.push({ name: `block/${i}`, ok, detail: `${handle}: ${said}` })
    if (!ok) return steps
    ;[signer, by, previous] = [ed25519ChainKey(nk), toBase64url(nk), signature]
  }
  const ok = verifyToken(token, [key]) === 'valid'
  const [name, end] =
    'seal' in token.last
      ? ['seal', `the seal ${ok ? 'is' : 'is not'} signed by ${by}: nobody can add a block`]
      : ['continuation', `whoever holds it ${ok ? 'can' : 'cannot'} sign with ${by}`]
  return [...steps, { name, ok, detail: end }]
}

/** The decision that had this very block signed. */
async function grantSteps(
  { authority, blocks }: Token,
  issuer: IssuerKey | undefined,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const name = 'grant'
  if (issuer?.local === false)
    return [{ name, ok: true, detail: `in the log of the kernel that keeps ${authority.iss}` }]
  const [first] = blocks
  const signature = toBase64url(first?.signature ?? new Uint8Array())
  const payload = toBase64url(first?.payload ?? new Uint8Array())
  const granted = await findDecision(ports.store, ports.log, authority.lease)
  const found = await lastAllowed(
    ports,
    ['lease.grant', 'lease.renew'],
    (one) => {
      const output = membersOf(one, 'output')
      return output.signature === signature && output.payload === payload
    },
    { from: granted?.index ?? 0n },
  )
  if (found === undefined)
    return [{ name, ok: false, detail: 'no decision in the log had its first block signed' }]
  const { action, id } = found.leaf
  const detail = `${action}, generation ${authority.gen}, as ${askedBy(found)} asked`
  return [
    { name, ok: true, detail, decision: id, index: `${found.index}` },
    ...(await walk.named(id, 'grant/')),
  ]
}
