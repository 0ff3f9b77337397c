/** `assay secret`: a value goes from standard input into custody, and comes out sealed to its recipient alone. It stands in no argument and no payload. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { Adapters } from '../adapters/compose.ts'
import { openSecrets } from '../adapters/compose-secrets.ts'
import { makeFolder } from '../adapters/datafolder/folder.ts'
import { openValue } from '../adapters/secrets/hpke/index.ts'
import { fromBase64url } from '../core/crypto.ts'
import type { Secrets } from '../core/ports/secrets.ts'
import { words } from './decide.ts'
import { bytesOf, configured, type PlaceOptions } from './input.ts'
import { type Answer, type Ask, type AskOptions, asking } from './key/asking.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'

const SCOPE = 'secret'

/** 0: custody has it and the record comes to name it; 1: the policy refuses, and this version is never used. */
export async function put(options: AskOptions, out: Out, name: string): Promise<ExitCode> {
  const value = withoutLineEnd(await bytesOf('-', 'the value'))
  return withSecrets<ExitCode>(options, async (secrets) => {
    const made = await secrets.put(name, value).finally(() => value.fill(0))
    const unused = () => secrets.transition(made, 'retired')
    const answer = await asking(options, (ask) =>
      ask('signer.create', { name, scope: SCOPE }),
    ).catch(async (error: unknown) => {
      await unused()
      throw error
    })
    if (!answer.allow) await unused()
    const { allow, id, reasons } = answer
    const text = [words(allow, reasons, out), `version ${made.version}`, `decision ${id}`]
    out.answer({ id, allow, reasons, version: made.version }, text.join('\n'))
    return allow ? 0 : 1
  })
}

/** A file of one line has an end that is not part of the value. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end -= 1
  if (end < bytes.length && bytes[end - 1] === 0x0d) end -= 1
  return bytes.subarray(0, end)
}

export async function list(options: PlaceOptions, out: Out): Promise<ExitCode> {
  return withSecrets<ExitCode>(options, async (secrets) => {
    const all = await secrets.list()
    const lines = all.map(({ name, state, version }) => `${name} ${version}  ${state}`)
    out.answer({ secrets: all }, lines.length > 0 ? lines.join('\n') : 'no secrets')
    return 0
  })
}

/** @throws UsageError, CustodyError */
async function withSecrets<T>(
  options: PlaceOptions,
  use: (secrets: Secrets) => Promise<T>,
): Promise<T> {
  const config = await configured(options)
  await makeFolder(config.data)
  const adapters = new Adapters(config)
  try {
    const secrets = await openSecrets(adapters)
    if (secrets !== undefined) return await use(secrets)
    throw new UsageError(
      'not_found',
      'the configuration has no place for secrets: see docs/keys.md',
    )
  } finally {
    await adapters.close()
  }
}

export interface DeliverOptions extends AskOptions {
  readonly recipient: string
}
/** What is printed, and read again by {@link open}. */
interface Sealed {
  readonly decision: string
  readonly name: string
  /** base64url */
  readonly sealed: string
  readonly version: number
}

/** 0: it is printed; 1: the policy refuses. */
export async function deliver(
  options: DeliverOptions,
  out: Out,
  name: string,
  version?: number,
): Promise<ExitCode> {
  const pem = await bytesOf(options.recipient, 'the public key')
  const recipient = numberOf(options.recipient, () => createPublicKey(Buffer.from(pem)), 'x')
  return asking(options, async (ask) => {
    const which = version === undefined ? {} : { version }
    const begun = await ask('signer.deliver', { name, scope: SCOPE, recipient, ...which })
    const answer = begun.allow ? await fetched(ask, name, begun.id) : begun
    const { sealed } = (answer.output ?? {}) as { readonly sealed?: Sealed }
    const { allow, id, reasons } = answer
    if (sealed === undefined)
      out.answer({ id, allow, reasons }, `${words(allow, reasons, out)}\ndecision ${id}`)
    else out.answer(sealed, JSON.stringify(sealed))
    return allow ? 0 : 1
  })
}

const TRIES = 40
const PAUSE_MS = 250

/** Waits a little for custody, which seals after the decision. */
async function fetched(ask: Ask, name: string, delivery: string): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask('signer.fetch', { name, scope: SCOPE, delivery })
    if (answer.reasons[0]?.code !== 'delivery_pending' || tries === TRIES) return answer
    await pause(PAUSE_MS)
  }
}

export interface OpenOptions {
  readonly keyFile: string
  readonly out?: string
}

/** 0: it opens; 1: it is for another recipient, or was changed. */
export async function open(options: OpenOptions, out: Out, file: string): Promise<ExitCode> {
  const pem = await bytesOf(options.keyFile, 'the private key')
  const number = numberOf(options.keyFile, () => createPrivateKey(Buffer.from(pem)), 'd')
  const key = fromBase64url(number) as Uint8Array
  const sealed = sealedIn(await bytesOf(file, 'what was delivered'))
  const value = await openValue(key, sealed, fromBase64url(sealed.sealed) ?? new Uint8Array())
  key.fill(0)
  pem.fill(0)
  const { name, version } = sealed
  if (value === undefined) {
    out.answer(
      { name, version, check: 'invalid' },
      'it does not open: not for this key, or changed',
    )
    return 1
  }
  if (options.out !== undefined) {
    await writeFile(options.out, value, { mode: 0o600, flag: 'wx' }).catch(notWritten(options.out))
    out.answer({ name, version, check: 'valid' }, `${printable(name)} version ${version}`)
  } else {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
    out.answer({ name, version, check: 'valid', value: text }, text)
  }
  value.fill(0)
  return 0
}

const notWritten =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw new UsageError('not_found', `${printable(file)} cannot be written (${error.code})`)
  }

/** One number of an X25519 key, base64url; no error quotes the file. */
function numberOf(file: string, read: () => KeyObject, member: 'd' | 'x'): string {
  try {
    const key = read()
    const number = key.export({ format: 'jwk' })[member]
    if (key.asymmetricKeyType === 'x25519' && typeof number === 'string') return number
  } catch {
    // It is no key at all, which is the same mistake.
  }
  throw new UsageError(
    'usage',
    `${printable(file)} is no X25519 key: make one with openssl genpkey -algorithm x25519`,
  )
}

function sealedIn(bytes: Uint8Array): Sealed {
  try {
    const { decision, name, sealed, version } = JSON.parse(
      new TextDecoder().decode(bytes),
    ) as Sealed
    const texts = [decision, name, sealed]
    if (texts.every((text) => typeof text === 'string') && Number.isSafeInteger(version))
      return { decision, name, sealed, version }
  } catch {
    // Said below.
  }
  throw new UsageError('usage', 'this is not what assay secret deliver prints')
}
