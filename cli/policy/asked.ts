/**
 * Any rule as something that an engine can be asked. OPA makes entry points of everything that needs an entry point, and refuses those that are
 * functions; a rule that nothing needs stands in for each query, so that any rule can be asked.
 */
import type { Sources } from '../../core/ports/compiler.ts'

export interface Asked {
  readonly sources: Sources
  readonly entrypoints: readonly string[]
  /** The entry point that stands in for a query such as `assay/main/deny`. */
  entrypointOf(query: string): string
}

const PACKAGE = 'assay_asked'

export function asked(sources: Sources, queries: readonly string[]): Asked {
  const names = new Map([...new Set(queries)].map((query, at) => [query, `q${at}`]))
  const rules = [...names].map(([query, name]) => {
    const path = query.split('/').map((part) => `[${JSON.stringify(part)}]`)
    return `${name} := data${path.join('')}\n`
  })
  const text = [`package ${PACKAGE}\n`, ...rules].join('\n')
  const entrypointOf = (query: string): string => `${PACKAGE}/${names.get(query)}`
  return {
    sources: { ...sources, [`${PACKAGE}.rego`]: text },
    entrypoints: [...names.keys()].map(entrypointOf),
    entrypointOf,
  }
}
