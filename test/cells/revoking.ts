/** Ways to take a token back, each with a token that it kills. */
import { attenuate, inspectUnverified } from '../../formats/cap1/client.ts'
import { granted, type Kernel, type Leased, TENANT, used } from './world.ts'

export interface Victim {
  readonly what: string
  readonly issuer: Kernel
  readonly cell: string
  readonly presented: Pick<Leased, 'resource' | 'token'>
  /** Resolves once the revocation is committed. */
  revoke(): Promise<void>
}

const READ = [{ t: 'op', v: ['read'] }]

/** `done`: a refusal that says that it was done before, and that the answer was lost. */
async function expectAllowed(
  kernel: Kernel,
  action: string,
  payload: object,
  done?: string,
): Promise<void> {
  const { allow, reasons } = await kernel.ask(action, payload as never)
  if (!allow && reasons[0]?.code !== done)
    throw new Error(`${action} is denied: ${JSON.stringify(reasons)}`)
}

/** The handle of the token's last block. */
async function handleOf(token: string): Promise<string> {
  return (await inspectUnverified(token)).handles.at(-1) as string
}

interface Place {
  readonly issuer: Kernel
  readonly cell: string
  /** Which of the cell's resources; free for this. */
  readonly n: number
}
export type Way = (place: Place) => Promise<Victim>

/** Each takes one lease. */
export const WAYS: Readonly<Record<string, Way>> = {
  async token({ cell, issuer, n }) {
    const { resource, token: whole } = await granted(issuer, cell, n)
    const token = await attenuate(whole, READ)
    const id = await handleOf(token)
    return {
      what: 'token',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'announce.revoke', { cell, id, kind: 'token' }),
    }
  },
  async ancestor({ cell, issuer, n }) {
    const { resource, token: whole } = await granted(issuer, cell, n)
    const parent = await attenuate(whole, READ)
    const token = await attenuate(await attenuate(parent, READ), READ)
    const id = await handleOf(parent)
    return {
      what: 'ancestor',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'announce.revoke', { cell, id, kind: 'token' }),
    }
  },
  async lease({ cell, issuer, n }) {
    const { lease, resource, token } = await granted(issuer, cell, n)
    return {
      what: 'lease',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'lease.revoke', { lease }),
    }
  },
  async renewal({ cell, issuer, n }) {
    const { lease, resource, token } = await granted(issuer, cell, n)
    const nk = (await inspectUnverified(token)).authority.nk
    const renewal = { generation: 1, lease, nk, ttl: 300 }
    return {
      what: 'renewal',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'lease.renew', renewal, 'lease_generation_stale'),
    }
  },
  async key({ cell, issuer, n }) {
    const { resource, token } = await granted(issuer, cell, n)
    const { output } = await issuer.ask('enrolment.prove', { cell })
    const asked = { cell, id: output?.public_key, kind: 'key' }
    return {
      what: 'key',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'announce.revoke', asked),
    }
  },
  async tenant({ cell, issuer, n }) {
    const { resource, token } = await granted(issuer, cell, n)
    return {
      what: 'tenant',
      issuer,
      cell,
      presented: { resource, token },
      revoke: () => expectAllowed(issuer, 'announce.revoke', { cell, id: TENANT, kind: 'tenant' }),
    }
  },
}

/** Frees the resource for the next one: nobody presents the token any more. */
export async function released({ issuer, presented }: Victim): Promise<void> {
  const { authority } = await inspectUnverified(presented.token)
  await issuer.ask('lease.free', { lease: authority.lease })
}

/** The code of the refusal; undefined when the token is accepted. */
export async function refusal(
  kernel: Kernel,
  { cell, presented }: Victim,
): Promise<string | undefined> {
  const { allow, reasons } = await used(kernel, cell, presented)
  return allow ? undefined : (reasons[0]?.code ?? 'none')
}
