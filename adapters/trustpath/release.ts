/**
 * From the trust anchor to an artifact: the first pinned release key, each key that it was handed over to, both signatures, the one line of
 * SHA256SUMS, and the decision that accepted these very bytes. docs/release.md has the chain.
 */
import {
  blake2b512,
  commentText,
  digestsFor,
  keyIdText,
  readComment,
  readPublicKey,
  readSignature,
  verifySignature,
} from '../../formats/minisign/index.ts'
import type { DecisionWalk, TrustPathPorts } from './decision.ts'
import { effectsOf } from './event.ts'
import { lastAllowed } from './find.ts'
import { bodyOf, type Members, type Opened } from './opened.ts'
import type { Step } from './step.ts'
import { recordOf } from './stored.ts'

/** A file, as far as signatures cover it. */
export interface SignedFile {
  /** 64 bytes. */
  readonly blake2b512: Uint8Array
  /** The file itself, which a legacy signature covers; undefined where it is too large for one. */
  readonly content: Uint8Array | undefined
  /** What lies beside it as `.minisig`. */
  readonly signature: Uint8Array | undefined
}
/** What lies where the release does. Nothing of it is verified. */
export interface ReleaseFiles {
  readonly name: string
  readonly artifact: SignedFile
  /** Lower-case hex. */
  readonly sha256: string
  readonly sums: Uint8Array | undefined
  readonly sumsSignature: Uint8Array | undefined
}

/** What does not hold is a step, and no error. @throws StoreError, LogError, CompilerError */
export async function releaseSteps(
  files: ReleaseFiles,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const { artifact, name, sums, sumsSignature } = files
  if (sums === undefined) return [{ name: 'sums', ok: false, detail: 'there is no SHA256SUMS' }]
  const listed = { blake2b512: blake2b512(sums), content: sums, signature: sumsSignature }
  return [
    ...(await pinSteps(sumsSignature, ports, walk)),
    await signatureStep('sums', listed, ports),
    await signatureStep('artifact', artifact, ports),
    digestStep(files, sums),
    commentStep(name, artifact),
    ...(await decidedSteps(files, ports, walk)),
  ]
}

/** More hand-overs than this nobody makes. */
const MAX_PINS = 64

/** The key that signed SHA256SUMS, and before it those that led to it, the first one first. */
async function pinSteps(
  file: Uint8Array | undefined,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const chain: Members[] = []
  let id = keyIdOf(file)
  while (id !== undefined && chain.length < MAX_PINS) {
    const pin = await recordOf(ports.store, 'release', `pin/${id}`)
    if (pin === undefined)
      return [{ name: 'pin', ok: false, detail: `no key ${id} was ever pinned here` }]
    chain.unshift(pin)
    id = typeof pin.predecessor === 'string' ? pin.predecessor : undefined
  }
  if (chain.length === 0)
    return [{ name: 'pin', ok: false, detail: 'SHA256SUMS has no signature that names a key' }]
  const steps: Step[] = []
  for (const [i, pin] of chain.entries()) {
    const last = i === chain.length - 1
    steps.push(...(await pinnedSteps(`pin/${i}`, pin, last, ports, walk)))
  }
  return steps
}

/** A key before the last one only had to be good for handing over. */
async function pinnedSteps(
  name: string,
  { key_id, public_key, state, until }: Members,
  last: boolean,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const pinned = await lastAllowed(ports, ['release.hand-over', 'release.pin'], (one) =>
    effectsOf(one).some((effect) => effect.kind === 'release.pin' && effect.key_id === key_id),
  )
  if (pinned === undefined)
    return [{ name, ok: false, detail: `no decision in the log pinned the key ${key_id}` }]
  const { action, id } = pinned.leaf
  const counts = state === 'active' || (state === 'grace' && Number(until ?? 0) > ports.now)
  const detail = `${key_id} by ${action}, ${public_key}; now ${state}`
  return [
    { name, ok: counts || !last, detail, decision: id, index: `${pinned.index}` },
    ...(await walk.named(id, `${name}/`)),
  ]
}

function keyIdOf(file: Uint8Array | undefined): string | undefined {
  const signature = file && readSignature(file)
  return signature && 'keyId' in signature ? keyIdText(signature.keyId) : undefined
}

async function signatureStep(
  name: string,
  file: SignedFile,
  { store }: TrustPathPorts,
): Promise<Step> {
  const failed = (detail: string): Step => ({ name, ok: false, detail })
  const signature = file.signature && readSignature(file.signature)
  if (signature === undefined) return failed('it has no signature')
  if ('problem' in signature) return failed(signature.problem.replace('_', ' '))
  const id = keyIdText(signature.keyId)
  const pin = await recordOf(store, 'release', `pin/${id}`)
  const key = readPublicKey(String(pin?.public_key))
  if ('problem' in key) return failed(`the key ${id} is not pinned here`)
  const covered = signature.algorithm === 'legacy' ? file.content : file.blake2b512
  if (covered === undefined) return failed('a legacy signature, and the file is too large for one')
  const check = verifySignature(signature, key, covered)
  if (check !== 'valid') return failed(check.replaceAll('_', ' '))
  const says = commentText(signature.trustedComment)
  return { name, ok: true, detail: `${signature.algorithm} signature by ${id}, saying: ${says}` }
}

function digestStep({ name, sha256 }: ReleaseFiles, sums: Uint8Array): Step {
  const found = digestsFor(sums, name)
  const ok = found.length === 1 && found[0] === sha256
  const count = found.length === 1 ? 'one line of' : `${found.length} lines of`
  const detail = `${count} SHA256SUMS about ${name}; the file has ${sha256}`
  return { name: 'digest', ok, detail }
}

function commentStep(name: string, { signature: file }: SignedFile): Step {
  const signature = file && readSignature(file)
  const text =
    signature && 'trustedComment' in signature ? commentText(signature.trustedComment) : ''
  const said = readComment(text).file
  return { name: 'comment', ok: said === name, detail: `the signer says file ${said ?? 'nothing'}` }
}

async function decidedSteps(
  { name: artifact, sha256 }: ReleaseFiles,
  ports: TrustPathPorts,
  walk: DecisionWalk,
): Promise<readonly Step[]> {
  const accepted = (one: Opened): boolean => {
    const body = bodyOf(one)
    return body.artifact === artifact && body.sha256 === sha256
  }
  const found = await lastAllowed(ports, ['release.verify'], accepted)
  const name = 'release'
  if (found === undefined)
    return [{ name, ok: false, detail: 'no decision in the log accepted these bytes' }]
  const { id } = found.leaf
  const detail = `${artifact} was accepted by decision ${id}`
  return [
    { name, ok: true, detail, decision: id, index: `${found.index}` },
    ...(await walk.named(id, 'release/')),
  ]
}
