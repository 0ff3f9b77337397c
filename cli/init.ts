/** `assay init`: a folder to start from, with policies of one's own. Nothing that is there is overwritten. */

import { existsSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXAMPLE_STATE, OWN_POLICIES } from '../adapters/config/complete.ts'
import { commandName, quoted, shown } from './input.ts'
import { type ExitCode, type Out, UsageError } from './out.ts'

const starter = (name: string): string =>
  fileURLToPath(new URL(`./starter/${name}`, import.meta.url))
/** What is written, and from where. */
const FILES: readonly (readonly [name: string, source: string])[] = [
  ['assay.yaml', starter('assay.yaml')],
  ['state.json', EXAMPLE_STATE],
  ['README.md', starter('about.txt')],
  ['policies', OWN_POLICIES],
]

/** Belongs to the compiler: a copy would change nothing. */
const CAPABILITIES = join(OWN_POLICIES, 'capabilities')

export async function init(out: Out, folder = '.'): Promise<ExitCode> {
  const root = resolve(folder)
  const taken = FILES.map(([name]) => name).filter((name) => existsSync(join(root, name)))
  if (taken.length > 0)
    throw new UsageError(
      'usage',
      `${shown(root)} has ${taken.join(', ')} already; give another folder`,
    )
  await mkdir(root, { recursive: true })
  for (const [name, source] of FILES)
    await cp(source, join(root, name), { recursive: true, filter: (path) => path !== CAPABILITIES })
  const names = FILES.map(([name]) => name)
  out.answer(
    { folder: root, written: names },
    `${shown(root)} has ${names.join(', ')} now. Next: ${commandName()} serve --config ${quoted(shown(join(root, 'assay.yaml')))}`,
  )
  return 0
}
