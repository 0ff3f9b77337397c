/** Writes docs/config.schema.json from the schema that checks configuration files. Run it after a change of adapters/config/schema.ts. */
import { writeFile } from 'node:fs/promises'
import { configSchemaText } from '../adapters/config/schema.ts'

await writeFile(new URL('../docs/config.schema.json', import.meta.url), configSchemaText())
