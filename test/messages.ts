/** Wire messages of any shape, right and wrong, and a kernel that gets them: `enrolment` and `announce` with their own policies. */

import { fromBase64url } from '../core/base64.ts'
import { canonicalJson } from '../core/canonical.ts'
import { toBase64url } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import type { Decision } from '../core/kernel.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import type { Peer } from '../core/request.ts'
import { unsignedFrame, wireMessage, withSignature } from '../formats/wire/index.ts'
import { announce } from '../plugins/announce/facts.ts'
import { enrolment } from '../plugins/enrolment/facts.ts'
import { type Real, type RealOptions, realKernel, START_MS } from './kernel/real.ts'
import { type SigningKey, signingKey } from './keys.ts'

export const EMBEDDED: Peer = { kind: 'embedded', id: 'process' }
export const STRANGER: Peer = { kind: 'anonymous', id: 'anonymous' }
/** Unix seconds. */
export const NOW: number = START_MS / 1000

/** Signs these very bytes, whatever they are. */
export function frameOf(
  key: Pick<SigningKey, 'publicKey' | 'sign'>,
  body: Uint8Array,
  flags = 0,
): Uint8Array {
  const signer = fromBase64url(key.publicKey) as Uint8Array
  return withSignature(
    unsignedFrame(flags, signer, body),
    key.sign(wireMessage(flags, signer, body)),
  )
}

const encoder = new TextEncoder()
export const textFrame = (key: Pick<SigningKey, 'publicKey' | 'sign'>, text: string): Uint8Array =>
  frameOf(key, encoder.encode(text))

/** `from`, `seq` and `time` are there unless `body` says otherwise. */
export function messageOf(key: Pick<SigningKey, 'publicKey' | 'sign'>, body: Members): Uint8Array {
  const whole = { from: 'controller', seq: 1, time: NOW, ...body }
  return textFrame(key, canonicalJson(whole))
}

type Members = { readonly [member: string]: Json }

export function announcement(more: Members = {}): Members {
  const endpoint = 'https://cell-b.test:7443'
  return { type: 'ANNOUNCE', cell: 'cell-b', endpoint, service: 'gpu', until: NOW + 3600, ...more }
}

/** What a verdict comes to: `allow`, then the codes of its reasons. */
type Told = readonly (boolean | string)[]

export interface Post extends Real {
  readonly controller: SigningKey
  /** Bodies of the outbox entries `announce.broadcast`. */
  readonly broadcasts: Json[]
  /** Bodies of the outbox entries `announce.fetch`. */
  readonly fetches: Json[]
  /** As a peer over a transport. */
  receive(message: Uint8Array): Promise<Told>
  /** As this process, which has fetched it. */
  learn(message: Uint8Array): Promise<Told>
  /** What was signed here, whole. */
  made(output: Json | undefined): Uint8Array
}

export interface PostOptions extends RealOptions {
  /** Pins the key of the name `controller`. Default true. */
  readonly pinned?: boolean
  /** A kernel of which cell-a is instead: here it is a cell of another kernel. */
  readonly guest?: Post
  /** Beside `enrolment` and `announce`. */
  readonly plugins?: readonly Plugin[]
}

/** With `cell-a`, whose key is in its custody, and `cell-b`, whose key is the one of this name. */
export async function openPost(given: PostOptions = {}): Promise<Post> {
  const { guest, pinned = true, plugins: more = [], ...options } = given
  const broadcasts: Json[] = []
  const fetches: Json[] = []
  const sender: Outbound = {
    name: 'outbound/sender',
    kinds: ['announce.broadcast', 'announce.fetch', 'announce.revoke'],
    async perform({ body, kind }) {
      if (kind === 'announce.broadcast') broadcasts.push(body)
      if (kind === 'announce.fetch') fetches.push(body)
      return {}
    },
  }
  const plugins = [announce as Plugin, enrolment as Plugin, ...more]
  const real = await realKernel(plugins, { outbound: [sender], ...options })
  const controller = signingKey('controller')
  const [own] = await (guest ?? real).custody.list('cell')
  const public_key = toBase64url(own?.publicKey ?? new Uint8Array())
  const enrol = (action: string, payload: Json): Promise<Decision> =>
    real.decide(`enrolment.${action}`, payload, EMBEDDED)
  if (pinned) await enrol('pin-controller', { public_key: controller.publicKey })
  await enrol('bind-cell', {
    cell: 'cell-a',
    ...(guest === undefined ? { custody: 'cell' } : {}),
    public_key,
  })
  await enrol('bind-cell', { cell: 'cell-b', public_key: signingKey('cell-b').publicKey })
  const told = (action: string, peer: Peer) => async (message: Uint8Array) => {
    try {
      return await real.ask(action, { message: toBase64url(message) }, peer)
    } catch (error) {
      return ['refused', (error as Error).message]
    }
  }
  return {
    ...real,
    broadcasts,
    fetches,
    controller,
    receive: told('announce.receive', STRANGER),
    learn: told('announce.learn', EMBEDDED),
    made(output) {
      const { signature, unsigned } = output as { signature: string; unsigned: string }
      const frame = fromBase64url(unsigned) as Uint8Array
      return withSignature(frame, fromBase64url(signature) as Uint8Array)
    },
  }
}
