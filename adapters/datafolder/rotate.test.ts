/** The log's key is replaced: what was proved stays proved, and each key counts for its own heads only. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogError } from '../../core/error.ts'
import { parseAnchor, type TrustAnchor, verifyHead } from '../../core/log/anchor.ts'
import { formatCheckpoint, parseCheckpoint } from '../../core/log/checkpoint.ts'
import { fsck } from '../../core/log/fsck.ts'
import { parseNote, signNote } from '../../core/log/note.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
import { parseTlogProof } from '../../core/log/tlogproof.ts'
import { Payload } from '../../core/request.ts'
import { Place } from '../../test/composed.ts'
import { compiler } from '../../test/rego.ts'
import { Adapters, type Composed, openLog } from '../compose.ts'
import { rotateLogKey, sealLog } from '../compose-log.ts'
import { openFileCustody } from '../custody/file/index.ts'
import { type Rotation, type RotationOptions, rotateKey } from './rotate.ts'

let place: Place
beforeEach(async () => {
  place = await Place.make()
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

async function decide(server: Composed): Promise<Receipt> {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'document', id: 'd' },
  })
  const decision = await server.kernel.decide({ action: 'access.evaluate', payload })
  return decision.receipt()
}
/** Decides something, then stops. */
async function served(): Promise<{ readonly receipt: Receipt; readonly anchor: TrustAnchor }> {
  const server = await place.start()
  const receipt = await decide(server)
  await place.stop()
  return { receipt, anchor: server.anchor }
}
const rotate = (options: RotationOptions = {}): Promise<Rotation> =>
  rotateLogKey(place.config, { ...options, parts: place.parts })
const trust = async (): Promise<TrustAnchor> =>
  parseAnchor(await readFile(join(place.data, 'trust.json')))
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as LogError).code
  }
}
const keyFolder = (): string => join(place.data, 'keys')
async function keyStates(): Promise<readonly string[]> {
  const custody = await openFileCustody({ dir: keyFolder() })
  const keys = await custody.list('log')
  await custody.close()
  return keys.map(({ state, version }) => `${version} ${state}`)
}

describe('a new key', () => {
  it('takes over at a head that both keys sign', async () => {
    const before = await served()
    const { anchor, lastTrustedSize, noteFile, size } = await rotate()
    expect(lastTrustedSize).toBe(size)
    const note = await readFile(noteFile)
    expect(parseCheckpoint(parseNote(note).text).size).toBe(size)
    expect(parseNote(note).lines).toHaveLength(2)
    // Who knows the old key only is told of the new one by the old.
    expect(verifyHead(note, before.anchor).size).toBe(size)
    expect(verifyHead(note, { ...anchor, keys: [anchor.keys[1]!] }).size).toBe(size)
    expect(await trust()).toEqual(anchor)
    expect(anchor.keys).toEqual([
      { vkey: before.anchor.keys[0]?.vkey, from: '0', to: size.toString() },
      { vkey: anchor.keys[1]?.vkey, from: size.toString() },
    ])
    expect(await keyStates()).toEqual(['1 grace', '2 active'])
  })

  it('keeps old receipts valid, and signs new ones; the log is sound as a whole', async () => {
    const old = await served()
    await rotate()
    const server = await place.start()
    const receipt = await decide(server)
    const anchor = await trust()
    expect(server.anchor).toEqual(anchor)
    expect(verifyReceipt(old.receipt, anchor)).toMatchObject({ ok: true })
    expect(verifyReceipt(receipt, anchor)).toMatchObject({ ok: true })
    expect(await fsck(server.kernel.log, anchor)).toMatchObject({ ok: true })
    // An anchor from before knows nothing of what the new key signs.
    expect(verifyReceipt(receipt, old.anchor)).toMatchObject({ ok: false })
    expect(await fsck(server.kernel.log, old.anchor)).toMatchObject({ ok: false })
  })

  it('may be of another algorithm, and lead back', async () => {
    const first = await served()
    const start = async (): Promise<Receipt> => {
      const receipt = await decide(await place.start())
      await place.stop()
      return receipt
    }
    const receipts = [first.receipt]
    const names: string[] = []
    for (const algorithm of ['ecdsa-p256', undefined, 'ed25519', 'ecdsa-p256'] as const) {
      const { next } = await rotate(algorithm === undefined ? {} : { algorithm })
      names.push(`${next.name} ${next.version} ${next.algorithm}`)
      receipts.push(await start())
    }
    expect(names).toEqual([
      'log-ecdsa-p256 1 ecdsa-p256',
      'log-ecdsa-p256 2 ecdsa-p256',
      'log 2 ed25519',
      'log-ecdsa-p256 3 ecdsa-p256',
    ])
    const { kernel } = await place.start()
    const anchor = await trust()
    for (const receipt of receipts)
      expect(verifyReceipt(receipt, anchor)).toMatchObject({ ok: true })
    expect(await fsck(kernel.log, anchor)).toMatchObject({ ok: true })
  })

  it('may take over again', async () => {
    const { receipt } = await served()
    await rotate()
    await served()
    await rotate()
    const server = await place.start()
    await decide(server)
    const anchor = await trust()
    expect(
      anchor.keys.map(({ from, to }) => to === undefined || BigInt(from) < BigInt(to)),
    ).toEqual([true, true, true])
    expect(verifyReceipt(receipt, anchor)).toMatchObject({ ok: true })
    expect(await fsck(server.kernel.log, anchor)).toMatchObject({ ok: true })
  })

  it('is not taken while the server runs', async () => {
    await place.start()
    await expect(rotate()).rejects.toMatchObject({ code: 'locked' })
  })

  it('counts from its own head on, the old one up to it', async () => {
    await served()
    const { anchor, size } = await rotate()
    // As a thief of both keys would sign.
    const [retired, next] = await privateKeys()
    const signed = async (at: bigint, key: KeyObject): Promise<Uint8Array> => {
      const { origin } = anchor
      const text = formatCheckpoint({ origin, size: at, root: new Uint8Array(32) })
      const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
      const publicKey = new Uint8Array(Buffer.from(x, 'base64url'))
      return signNote(text, origin, publicKey, async (message) => sign(null, message, key))
    }
    expect(verifyHead(await signed(size - 1n, retired), anchor).size).toBe(size - 1n)
    expect(verifyHead(await signed(size + 1n, next), anchor).size).toBe(size + 1n)
    const beyond = await signed(size + 1n, retired)
    const early = await signed(size - 1n, next)
    expect(codeOf(() => verifyHead(beyond, anchor))).toBe('untrusted_key')
    expect(codeOf(() => verifyHead(early, anchor))).toBe('untrusted_key')
  })
})

describe('a compromised key', () => {
  it('signs nothing any more, and counts up to the last trusted size only', async () => {
    const early = await served()
    const trusted = parseCheckpoint(parseNote(proofNote(early.receipt)).text).size
    const late = await served()
    const done = await rotate({ compromisedSince: trusted })
    expect(await keyStates()).toEqual(['1 revoked', '2 active'])
    expect(parseNote(await readFile(done.noteFile)).lines).toHaveLength(1)
    const anchor = await trust()
    expect(anchor.keys[0]).toMatchObject({ to: trusted.toString() })
    expect(verifyReceipt(early.receipt, anchor)).toMatchObject({ ok: true })
    expect(verifyReceipt(late.receipt, anchor)).toMatchObject({ ok: false })
    const server = await place.start()
    expect(await fsck(server.kernel.log, anchor)).toMatchObject({ ok: true })
    // The decision stands: its receipt is fetched again, under a head of the new key.
    const { id } = JSON.parse(late.receipt.leaf) as { id: string }
    expect(verifyReceipt((await server.kernel.receipt(id))!, anchor)).toMatchObject({ ok: true })
  })

  it('may have been revoked before: then only its last trusted size is missing', async () => {
    const { receipt } = await served()
    const trusted = parseCheckpoint(parseNote(proofNote(receipt)).text).size
    const custody = await openFileCustody({ dir: keyFolder() })
    await custody.transition({ scope: 'log', name: 'log', version: 1 }, 'revoked')
    await custody.close()
    await expect(rotate()).rejects.toMatchObject({ code: 'not_active' })
    await rotate({ compromisedSince: trusted })
    expect(await keyStates()).toEqual(['1 revoked', '2 active'])
    const server = await place.start()
    expect(await fsck(server.kernel.log, await trust())).toMatchObject({ ok: true })
    expect(verifyReceipt(receipt, await trust())).toMatchObject({ ok: true })
  })

  it('has to name a size that the key could have signed', async () => {
    await served()
    const beyond = rotate({ compromisedSince: 1_000_000n })
    await expect(beyond).rejects.toMatchObject({ code: 'malformed' })
    expect(await keyStates()).toEqual(['1 active'])
  })
})

describe('killed between any two steps', () => {
  it('the next start takes the rest of them', async () => {
    const { receipt } = await served()
    const survived: number[] = []
    for (let step = 1; survived.at(-1) !== 0; step++) {
      survived.push(await dieAt(step))
      const server = await place.start()
      const after = await decide(server)
      const anchor = await trust()
      expect(verifyReceipt(receipt, anchor)).toMatchObject({ ok: true })
      expect(verifyReceipt(after, anchor)).toMatchObject({ ok: true })
      expect(await fsck(server.kernel.log, anchor)).toMatchObject({ ok: true })
      await place.stop()
      expect((await keyStates()).filter((state) => state.endsWith(' active'))).toHaveLength(1)
    }
    // Each of them: a key, its leaf, its activation, two signatures, the head, what is under way, the old one's end, all done.
    expect(survived.length).toBeGreaterThan(7)
  })

  it('nothing is signed before that', async () => {
    await served()
    await dieAt(3)
    const head = await sealLog(place.config)
    expect(parseNote(head!.note).lines).toHaveLength(2)
    expect((await trust()).keys).toHaveLength(2)
  })
})

/** Every call that leaves a trace counts; from the one with this number on all of them fail. Returns 0 when it was not reached. */
async function dieAt(step: number): Promise<number> {
  let calls = 0
  const mortal = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const member = Reflect.get(of, name, of) as unknown
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          if (TRACES.has(String(name)) && ++calls >= step) throw new Error('killed')
          return member.apply(of, args)
        }
      },
    })
  const { config, clock } = place
  const adapters = new Adapters(config)
  try {
    const { custody, log, store } = await openLog(adapters)
    const ports = { custody: mortal(custody), log: mortal(log), store: mortal(store) }
    const { data: dataFolder } = config
    await rotateKey({ ...ports, clock, dataFolder, sealTimeoutMs: 1000 })
  } catch {
    expect(calls).toBeGreaterThanOrEqual(step)
  } finally {
    await adapters.close()
  }
  return calls >= step ? step : 0
}
const TRACES: ReadonlySet<string> = new Set(['commit', 'create', 'publish', 'sign', 'transition'])

function proofNote({ proof }: Receipt): Uint8Array {
  return parseTlogProof(proof).checkpoint
}

/** Of each version, as they lie in the file custody. */
async function privateKeys(): Promise<[KeyObject, KeyObject]> {
  const files = (await readdir(keyFolder(), { recursive: true })).filter((name) => /1|2/.test(name))
  const keys: KeyObject[] = []
  for (const name of files.sort()) {
    const text = await readFile(join(keyFolder(), name), 'utf8').catch(() => '')
    if (!text.includes('"d"')) continue
    const { crv, d, kty, x } = JSON.parse(text) as { [member: string]: string }
    keys.push(createPrivateKey({ key: { crv, d, kty, x }, format: 'jwk' } as never))
  }
  expect(keys).toHaveLength(2)
  return keys as [KeyObject, KeyObject]
}
