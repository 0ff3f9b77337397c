/** `assay store init`: what a store needs before anybody may use it. */
import { Adapters } from '../adapters/compose.ts'
import { initStore } from '../adapters/compose-parts.ts'
import { configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable } from './out.ts'

export interface InitOptions extends PlaceOptions {
  readonly pointInTimeRecovery?: boolean
  readonly deletionProtection?: boolean
}

export async function init(options: InitOptions, out: Out): Promise<ExitCode> {
  const { deletionProtection, pointInTimeRecovery } = options
  const adapters = new Adapters(await configured(options))
  try {
    const { made, table } = await initStore(adapters, {
      ...(deletionProtection === undefined ? {} : { deletionProtection }),
      ...(pointInTimeRecovery === undefined ? {} : { pointInTimeRecovery }),
    })
    const said = made ? 'was made and is ready' : 'was there and is ready'
    out.answer({ table, made }, `table ${printable(table)} ${said}`)
    return 0
  } finally {
    await adapters.close()
  }
}
