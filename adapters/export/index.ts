/** Exporters of the decision log, as a configuration names them. */
import { join } from 'node:path'
import type { Compiler, Sources } from '../../core/ports/compiler.ts'
import type { Engine } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { Exporter, type Watch } from './exporter.ts'
import { openMask } from './mask.ts'
import { opaLogs } from './opa.ts'
import { otlp } from './otlp.ts'

export type { Watch } from './exporter.ts'

export interface ExportChoice {
  readonly kind: 'opa-logs' | 'otlp'
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly bearerTokenFile?: string
  readonly labels: Readonly<Record<string, string>>
  readonly openings: readonly string[]
  readonly batch: {
    readonly maxEvents: number
    readonly delayMs: number
    readonly timeoutMs: number
  }
}

export interface ExportParts {
  readonly origin: string
  readonly dataFolder: string
  readonly store: Store
  readonly log: LogStore
  readonly compiler: Compiler
  readonly engine: Engine
  /** Rego of `system.log`, where it is configured. */
  readonly maskSources?: Sources
  /** Whom it tells; `state` is read whenever somebody looks. */
  watch(name: string, state: () => { readonly position: bigint; readonly failing: boolean }): Watch
}

/** @throws ConfigError, CompilerError, EngineError: nothing is exported then */
export async function startExport(
  choice: ExportChoice,
  parts: ExportParts,
): Promise<{ close(): Promise<void> }> {
  const { batch, kind, labels, name, url, ...rest } = choice
  const { compiler, dataFolder, engine, log, maskSources, origin, store, watch } = parts
  const masking = maskSources && (await openMask(maskSources, compiler, engine))
  const exporter = await Exporter.open({
    ...rest,
    ...batch,
    name,
    origin,
    store,
    log,
    labels: { id: origin, ...labels },
    folder: join(dataFolder, 'export'),
    format: kind === 'otlp' ? otlp(url) : opaLogs(url),
    ...(masking === undefined ? {} : { mask: masking.mask }),
  })
  exporter.start(watch(name, () => exporter))
  return {
    async close() {
      await exporter.close()
      await masking?.close()
    },
  }
}
