/** `assay key` for keys that custody alone keeps the states of, such as the log's. Private halves never come here. */
import { Adapters } from '../../adapters/compose.ts'
import { makeFolder } from '../../adapters/datafolder/folder.ts'
import { toBase64 } from '../../core/crypto.ts'
import {
  type Custody,
  KEY_SCOPES,
  type KeyScope,
  type KeyState,
  type PublicKey,
} from '../../core/ports/custody.ts'
import { configured, type PlaceOptions } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'

export type KeyVerb = 'activate' | 'create' | 'export' | 'list' | 'retire' | 'revoke'

export async function key(
  verb: KeyVerb,
  options: PlaceOptions,
  out: Out,
  args: readonly unknown[],
): Promise<ExitCode> {
  const config = await configured(options)
  if (verb === 'create') await makeFolder(config.data)
  const adapters = new Adapters(config)
  try {
    const custody = await adapters.get('custody')
    const [scope, name, version] = args as [KeyScope | undefined, string, number | undefined]
    if (verb === 'list' || scope === undefined) await list(custody, scope, out)
    else {
      const ref = { scope, name, ...(version === undefined ? {} : { version }) }
      tell(await act(verb, custody, ref), out, verb === 'export')
    }
    return 0
  } finally {
    await adapters.close()
  }
}

async function list(custody: Custody, scope: KeyScope | undefined, out: Out): Promise<void> {
  const scopes =
    scope === undefined ? KEY_SCOPES.filter((each) => custody.scopes.includes(each)) : [scope]
  const keys = (await Promise.all(scopes.map((each) => custody.list(each)))).flat()
  const lines = keys.map(
    (each) => `${named(each)}  ${each.state.padEnd(10)}  ${toBase64(each.publicKey)}`,
  )
  out.answer({ keys: keys.map(plain) }, lines.length > 0 ? lines.join('\n') : 'no keys')
}

interface Ref {
  readonly scope: KeyScope
  readonly name: string
  readonly version?: number
}

async function act(verb: KeyVerb, custody: Custody, ref: Ref): Promise<PublicKey> {
  if (verb === 'create') return custody.create(ref.scope, ref.name)
  const found = await find(custody, ref)
  if (verb === 'export') return found
  if (verb === 'activate') return activate(custody, found)
  if (verb === 'revoke') return custody.transition(found, 'revoked')
  return custody.transition(found, found.state === 'active' ? 'grace' : 'retired')
}

async function find(custody: Custody, { name, scope, version }: Ref): Promise<PublicKey> {
  const found = (await custody.list(scope)).findLast(
    (each) => each.name === name && (version === undefined || each.version === version),
  )
  if (found !== undefined) return found
  const which = version === undefined ? '' : ` version ${version}`
  throw new UsageError('not_found', `there is no key ${scope} ${name}${which}; see assay key list`)
}

/** One version signs at a time: the one before it goes on verifying. */
async function activate(custody: Custody, next: PublicKey): Promise<PublicKey> {
  const others = (await custody.list(next.scope)).filter(
    ({ name, state, version }) =>
      name === next.name && state === 'active' && version !== next.version,
  )
  const activated = await custody.transition(next, 'active')
  for (const other of others) await custody.transition(other, 'grace')
  return activated
}

const named = ({ name, scope, version }: PublicKey): string => `${scope} ${name} ${version}`
const plain = ({
  algorithm,
  name,
  publicKey,
  scope,
  state,
  version,
}: PublicKey): {
  readonly scope: KeyScope
  readonly name: string
  readonly version: number
  readonly algorithm: string
  readonly state: KeyState
  readonly publicKey: string
} => ({ scope, name, version, algorithm, state, publicKey: toBase64(publicKey) })

function tell(found: PublicKey, out: Out, exported: boolean): void {
  out.answer(
    plain(found),
    exported ? toBase64(found.publicKey) : `${named(found)} is ${found.state}`,
  )
}
