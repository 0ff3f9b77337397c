/** Whether a key's states are the signer's records, or custody's alone. */
import { existsSync } from 'node:fs'
import { Adapters } from '../../adapters/compose.ts'
import type { KeyScope } from '../../core/ports/custody.ts'
import { managedKey, SIGNER } from '../../formats/signingkey/index.ts'
import { configured } from '../input.ts'
import type { ExitCode, Out } from '../out.ts'
import { type KeyVerb, key } from './custody.ts'
import type { ManagedOptions, ManagedScope, ManagedVerb } from './managed.ts'

export interface ChoiceOptions extends ManagedOptions {
  readonly managed?: boolean
}

/** A verb that both kinds of keys have. */
export async function choose(
  verb: KeyVerb,
  options: ChoiceOptions,
  out: Out,
  args: readonly unknown[],
): Promise<ExitCode> {
  const [scope, name, version] = args as [ManagedScope | undefined, string, number | undefined]
  if (scope === undefined || !isMove(verb)) return key(verb, options, out, args)
  const asked = scope === 'secret' || (options.managed ?? (await isManaged(options, scope, name)))
  if (!asked) return key(verb, options, out, args)
  const { move } = await import('./managed.ts')
  return move(verb, options, out, { name, scope }, version)
}

function isMove(verb: KeyVerb): verb is KeyVerb & ManagedVerb {
  return verb !== 'export' && verb !== 'list'
}

/** A server knows for itself. @throws StoreError, ConfigError */
async function isManaged(options: ChoiceOptions, scope: KeyScope, name: string): Promise<boolean> {
  if (options.url !== undefined) return true
  const config = await configured(options)
  const { store } = config
  // What was never served has no records.
  if (store.kind === 'memory' || (store.kind === 'sqlite' && !existsSync(store.path))) return false
  const adapters = new Adapters(config, { readOnly: true })
  try {
    const pair = await adapters.get('store')
    const at = { partition: SIGNER, sort: managedKey(scope, name) }
    return (await pair.store.get(at)) !== undefined
  } finally {
    await adapters.close()
  }
}
