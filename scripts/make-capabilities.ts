/**
 * `node scripts/make-capabilities.ts [FOLDER]`: writes policies/capabilities/{trust,compat}.json, which say what Rego may call, from what
 * OPA declares and what the engine has. What it makes of one version of OPA is always the same; a test compares.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createOpaCompiler } from '../adapters/compiler/opa/compiler.ts'
import { HOST_BUILTINS } from '../adapters/engine/wasm/builtins.ts'
import { makeCapabilities } from './capabilities.ts'

const root = resolve(import.meta.dirname, '..')
const folder = process.argv[2] ?? join(root, 'policies/capabilities')
const compiler = createOpaCompiler()
try {
  const sets = makeCapabilities(await compiler.declared(), new Set(HOST_BUILTINS.keys()))
  for (const [name, text] of Object.entries(sets)) writeFileSync(join(folder, `${name}.json`), text)
  execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', folder])
} finally {
  await compiler.close()
}
