/**
 * `node scripts/make-capabilities.ts [FOLDER]`: writes policies/capabilities, which says what Rego may call, from what OPA declares and
 * what the engines have. What it makes of one version of OPA is always the same; a test compares.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createOpaCompiler } from '../adapters/compiler/opa/compiler.ts'
import { BUILTINS } from '../adapters/engine/builtins/index.ts'
import { leftOutText, makeCapabilities } from './capabilities.ts'

const root = resolve(import.meta.dirname, '..')
const folder = process.argv[2] ?? join(root, 'policies/capabilities')
const compiler = createOpaCompiler()
try {
  const { capabilities } = await compiler.declared()
  const sets = makeCapabilities(capabilities, new Set(BUILTINS.keys()))
  for (const [name, text] of Object.entries(sets)) writeFileSync(join(folder, `${name}.json`), text)
  writeFileSync(join(folder, 'README.md'), leftOutText(capabilities))
  execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', folder])
} finally {
  await compiler.close()
}
