/** Writes docs/config.schema.json from the schema that checks configuration files. Run it after a change of adapters/config/schema.ts. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchemaText } from '../adapters/config/schema.ts'

const root = join(import.meta.dirname, '..')
const path = join(root, 'docs', 'config.schema.json')
writeFileSync(path, configSchemaText())
execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', path], { cwd: root })
