/** What rules see as `input`, as JSON Schema: with it, a policy check finds a misspelt fact before a request does. */
import type { Json } from './json.ts'
import type { FactField, Plugin } from './plugin.ts'

/** To be merged into what `Compiler.check` is given. */
export interface TypedInput {
  readonly schemas: { readonly [name: string]: Json }
  /** One source a plugin that binds its package, and every package below it, to its schema. */
  readonly sources: { readonly [path: string]: string }
}

export function typedInput(plugins: readonly Plugin[]): TypedInput {
  const schemas = plugins.map((plugin) => [`schema["${plugin.name}"]`, inputSchema(plugin)])
  const sources = plugins.map(({ name }) => [`${name}/input_schema.rego`, binding(name)])
  return { schemas: Object.fromEntries(schemas), sources: Object.fromEntries(sources) }
}

function binding(name: string): string {
  return `# METADATA
# scope: subpackages
# schemas:
#   - input: schema["${name}"]
package assay["${name}"]
`
}

function inputSchema(plugin: Plugin): Json {
  const text = { type: 'string' }
  const facts = Object.entries<FactField>(plugin.schema as Record<string, FactField>)
  return closed({
    facts: closed(Object.fromEntries(facts.map(([name, { schema }]) => [name, schema.json]))),
    now: { type: 'integer' },
    request: closed(
      {
        action: text,
        obligations: { type: 'array', items: text },
        peer: closed({ id: text, kind: text }),
      },
      // Where policies come as signed bundles.
      { policy: closed({ confirmed: { type: 'integer' } }) },
    ),
  })
}

type Properties = { readonly [name: string]: Json }
function closed(always: Properties, sometimes: Properties = {}): Json {
  const properties = { ...always, ...sometimes }
  const required = Object.keys(always)
  return { type: 'object', properties, required, additionalProperties: false }
}
