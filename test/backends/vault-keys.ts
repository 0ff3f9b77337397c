/** Mounts, policies and credentials in a Vault, as its administrator makes them for a custody. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../adapters/clock/system.ts'
import { openVaultCustody, type VaultCustodyOptions } from '../../adapters/custody/vault/index.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { Vault } from './vault.ts'

/** The minimal policy, as operators are given it. */
export const POLICY: string = readFileSync(
  join(import.meta.dirname, '../../adapters/custody/vault/policy.hcl'),
  'utf8',
)
let made = 0
/** A name that nobody else in this test run has. */
export const unique = (kind: string): string => `${kind}${process.pid}x${made++}`

/** What tests look at of an answer of Vault. */
export interface Said {
  readonly auth: { readonly client_token: string }
  readonly data: Readonly<Record<string, string>>
}
export interface Asked {
  readonly status: number
  readonly body: Said
}

/** One request to Vault's API; `token` is the administrator's by default. */
export async function ask(
  { address, root }: Pick<Vault, 'address' | 'root'>,
  method: 'DELETE' | 'GET' | 'LIST' | 'POST' | 'PUT',
  path: string,
  body?: object,
  token: string = root,
): Promise<Asked> {
  const headers = { 'X-Vault-Token': token }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  const answer = await fetch(`${address}/v1/${path}`, init)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
}

async function must(...asked: Parameters<typeof ask>): Promise<Said> {
  const { body, status } = await ask(...asked)
  if (status >= 300) throw new Error(`${asked[1]} ${asked[2]}: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Two mounts of one test file. */
export class Keys {
  readonly vault: Vault
  readonly mount: string = unique('t')
  readonly kvMount: string = unique('k')
  /** For secrets in files. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'assay-vault-'))

  private constructor(vault: Vault) {
    this.vault = vault
  }

  static async in(vault: Vault): Promise<Keys> {
    const keys = new Keys(vault)
    await must(vault, 'POST', `sys/mounts/${keys.mount}`, { type: 'transit' })
    await must(vault, 'POST', `sys/mounts/${keys.kvMount}`, {
      type: 'kv',
      options: { version: '2' },
    })
    const ready = async (): Promise<boolean> =>
      (await ask(vault, 'POST', `${keys.kvMount}/data/ready`, { data: {} })).status === 200
    while (!(await ready())) await pause(50)
    return keys
  }

  get(path: string): Promise<Said> {
    return must(this.vault, 'GET', path)
  }
  post(path: string, body: object = {}): Promise<Said> {
    return must(this.vault, 'POST', path, body)
  }

  /** A file with a secret in it. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** Writes the minimal policy for a prefix. @param change what it is changed to @returns its name */
  async policy(prefix: string, change: (policy: string) => string = (own) => own): Promise<string> {
    const name = unique('p')
    const own = POLICY.replaceAll('assay-transit', this.mount)
      .replaceAll('assay-kv', this.kvMount)
      .replaceAll('/assay/', `/${prefix}/`)
    await this.post(`sys/policies/acl/${name}`, { policy: change(own) })
    return name
  }

  /** A token that has exactly these policies, Vault's default one left out. */
  async token(policies: readonly string[], more: object = {}): Promise<string> {
    const options = { policies, no_default_policy: true, ttl: '1h', ...more }
    return (await this.post('auth/token/create-orphan', options)).auth.client_token
  }

  /** What a custody with a token of the minimal policy is opened with. */
  async options(prefix: string, policy?: string): Promise<VaultCustodyOptions> {
    const token = await this.token([policy ?? (await this.policy(prefix))])
    const { kvMount, mount, vault } = this
    const auth = { kind: 'token', tokenFile: this.file(`token-${prefix}`, token) } as const
    const timeoutMs = 3000
    return { address: vault.address, mount, kvMount, prefix, auth, timeoutMs, clock: systemClock }
  }

  /** An AppRole at a mount of its own. @param role beside its policies */
  async appRole(policy: string, role: object = {}): Promise<AppRole> {
    const mount = unique('a')
    await this.post(`sys/auth/${mount}`, { type: 'approle' })
    const settings = { token_policies: [policy], token_no_default_policy: true, ...role }
    await this.post(`auth/${mount}/role/own`, settings)
    const { role_id } = (await this.get(`auth/${mount}/role/own/role-id`)).data
    const made = async (): Promise<string> =>
      String((await this.post(`auth/${mount}/role/own/secret-id`)).data.secret_id)
    const secretIdFile = this.file(`${mount}-secret-id`, await made())
    const roleIdFile = this.file(`${mount}-role-id`, `${role_id}\n`)
    return {
      auth: { kind: 'approle', mount, roleIdFile, secretIdFile },
      renew: async () => this.file(`${mount}-secret-id`, await made()),
    }
  }

  async open(
    prefix: string = unique('x'),
    more: Partial<VaultCustodyOptions> = {},
  ): Promise<Custody> {
    return openVaultCustody({ ...(await this.options(prefix)), ...more })
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true })
  }
}

export interface AppRole {
  readonly auth: Extract<VaultCustodyOptions['auth'], { kind: 'approle' }>
  /** Puts a new secret-id into the file. */
  renew(): Promise<unknown>
}
