/** Ways to get a token. Files are read at each login, so that what they hold can be replaced while the process runs. */
import { readFile } from 'node:fs/promises'
import type { Json } from '../../../core/json.ts'
import { type Answer, at, numberAt, textAt, type VaultClient } from './client.ts'
import type { Deadline } from './deadline.ts'
import { refuse, unexpected } from './failure.ts'

/** Secrets are in files, one each, with or without an end of line. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly tokenFile: string }
  | {
      readonly kind: 'approle'
      readonly roleId?: string
      readonly roleIdFile?: string
      readonly secretIdFile: string
      /** Of the auth method; default `approle`. */
      readonly mount?: string
    }
  | {
      /** For example a SPIFFE JWT-SVID that an agent keeps fresh in a file. */
      readonly kind: 'jwt'
      readonly role: string
      readonly jwtFile: string
      /** Of the auth method; default `jwt`. */
      readonly mount?: string
    }

export interface Login {
  readonly token: string
  /** 0: for ever. */
  readonly ttlSeconds: number
  readonly renewable: boolean
}

/** @throws CustodyError `denied`: the credentials are refused; `misconfigured`: a file; `unavailable` */
export async function login(
  client: VaultClient,
  auth: VaultAuth,
  deadline: Deadline,
): Promise<Login> {
  if (auth.kind === 'token') return known(client, auth.tokenFile, deadline)
  const { body, path, setting } = await credentials(auth)
  // Not again without an answer: a secret-id may be good for one login only.
  const question = { verb: 'write', path, body, repeatable: false } as const
  const answer = await client.ask(question, undefined, deadline)
  if (answer.status !== 200) throw refused(client, answer, path, setting)
  return loginIn(answer.body)
}

/** A token that somebody else made. */
async function known(client: VaultClient, file: string, deadline: Deadline): Promise<Login> {
  const token = await secretIn('auth.tokenFile', file)
  const question = { verb: 'read', path: 'auth/token/lookup-self', repeatable: true } as const
  const answer = await client.ask(question, token, deadline)
  if (answer.status === 403)
    throw refuse(
      'denied',
      'the token is expired, revoked or of another Vault or namespace; put a new one into auth.tokenFile',
    )
  if (answer.status !== 200)
    throw unexpected(client.address, 'read auth/token/lookup-self', answer.status)
  const ttlSeconds = numberAt(answer.body, 'data', 'ttl')
  return { token, ttlSeconds, renewable: at(answer.body, 'data', 'renewable') === true }
}

async function credentials(
  auth: Exclude<VaultAuth, { kind: 'token' }>,
): Promise<{ path: string; body: Record<string, string>; setting: string }> {
  const path = `auth/${auth.mount ?? auth.kind}/login`
  if (auth.kind === 'jwt') {
    const jwt = await secretIn('auth.jwtFile', auth.jwtFile)
    return { path, body: { role: auth.role, jwt }, setting: 'auth.jwtFile' }
  }
  const role_id = auth.roleId ?? (await secretIn('auth.roleIdFile', auth.roleIdFile ?? ''))
  const secret_id = await secretIn('auth.secretIdFile', auth.secretIdFile)
  return { path, body: { role_id, secret_id }, setting: 'auth.secretIdFile' }
}

/** Vault says 400, 403 or (1.14, to a secret-id that was used up) 500 to credentials that it does not take. */
function refused(client: VaultClient, { status }: Answer, path: string, setting: string): Error {
  if (status !== 400 && status !== 403 && status !== 500)
    return unexpected(client.address, `write ${path}`, status)
  const what = setting === 'auth.jwtFile' ? 'the JWT or auth.role' : 'the role-id or secret-id'
  return refuse(
    'denied',
    `${path} refuses ${what} (${status}): expired, used up, revoked, of another role or clock; renew ${setting}, or correct auth, namespace and time`,
  )
}

export function loginIn(body: Json): Login {
  return {
    token: textAt(body, 'auth', 'client_token'),
    ttlSeconds: numberAt(body, 'auth', 'lease_duration'),
    renewable: at(body, 'auth', 'renewable') === true,
  }
}

async function secretIn(setting: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('misconfigured', `${setting} ${file} cannot be read (${error.code}); correct it`)
  })
  const secret = text.trim()
  // It goes into a header.
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw refuse('misconfigured', `${setting} ${file} holds no single word; write it again`)
  return secret
}
