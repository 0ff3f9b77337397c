/** Which policy a running server decides with. */
import type { Bundle } from '../../core/ports/compiler.ts'
import { policyName } from '../out.ts'

/** `took`: it decides with this policy; `other`: with another one still; `none`: nobody answers. */
export interface Served {
  readonly state: 'none' | 'other' | 'took'
  readonly text: string
}
interface Named {
  readonly digest: string
  readonly revision: string
}

const PATIENCE_MS = 10_000
const EVERY_MS = 250

/** Asks until the server has the policy, or for ten seconds: it compiles what was saved, too. */
export async function serving(url: string, { digest, revision }: Bundle): Promise<Served> {
  const name = policyName(digest, revision)
  let last: Named | undefined
  for (let waited = 0; waited <= PATIENCE_MS; waited += EVERY_MS) {
    const named = await asked(url)
    if (named === undefined) {
      const text = `policy ${name}; no server answers at ${url}: --url names another one`
      return { state: 'none', text }
    }
    if (named.digest === digest && named.revision === revision)
      return { state: 'took', text: `the server at ${url} decides with ${name}` }
    last = named
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  const other = policyName(last?.digest ?? '', last?.revision ?? '')
  const text = `the server at ${url} decides with ${other} still, and this is ${name}: it serves another folder, or refused the change; its output says`
  return { state: 'other', text }
}

async function asked(url: string): Promise<Named | undefined> {
  try {
    const response = await fetch(new URL('/health/ready', url), {
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const { policy } = (await response.json()) as { readonly policy?: Partial<Named> }
    return { digest: policy?.digest ?? '', revision: policy?.revision ?? '' }
  } catch {
    return undefined
  }
}
