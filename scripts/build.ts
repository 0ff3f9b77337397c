/**
 * `npm run build [-- FOLDER]`: JavaScript and type declarations of what the package ships, in `dist` or FOLDER, with the files beside
 * the sources that they load at run time: policies, the Rego compiler, JSON Schemas. The layout is that of the sources.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const out = resolve(root, process.argv[2] ?? 'dist')

/** Sources and what only developers read. `go` is the Rego compiler's source: the built module is what runs. */
const LEFT_OUT = /(\.(ts|md|sh)|\/go|\.test\.[a-z]+)$/

function copyBeside(folder: string): void {
  cpSync(join(root, folder), join(out, folder), {
    recursive: true,
    filter: (path) => !LEFT_OUT.test(relative(root, path)),
  })
}

/** Folders without a file in them, such as those of tests, are not worth shipping. */
function removeEmpty(folder: string): boolean {
  const entries = readdirSync(folder, { withFileTypes: true })
  const left = entries.filter(
    (entry) => !entry.isDirectory() || !removeEmpty(join(folder, entry.name)),
  )
  if (left.length === 0) rmSync(folder, { recursive: true })
  return left.length === 0
}

rmSync(out, { recursive: true, force: true })
const tsc = spawnSync(
  join(root, 'node_modules/.bin/tsc'),
  ['--project', join(root, 'tsconfig.build.json'), '--outDir', out],
  { cwd: root, stdio: 'inherit' },
)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
for (const folder of ['core', 'formats', 'adapters', 'plugins', 'cli']) copyBeside(folder)
removeEmpty(out)
