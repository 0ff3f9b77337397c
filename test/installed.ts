/** The package as a stranger gets it: built, with nothing but the files that `package.json` hands out and its dependencies. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readText, root } from './source.ts'

export const NODE: string = join(root, 'node_modules', 'node', 'bin', 'node')

/** Lies in `folder`/node_modules/assay then. @throws when it does not build */
export function installAssay(folder: string): string {
  const installed = join(folder, 'node_modules', 'assay')
  const { files } = JSON.parse(readText('package.json')) as { files: readonly string[] }
  mkdirSync(installed, { recursive: true })
  for (const file of ['package.json', ...files.filter((each) => each !== 'dist')]) {
    mkdirSync(dirname(join(installed, file)), { recursive: true })
    cpSync(join(root, file), join(installed, file), { recursive: true })
  }
  execFileSync(NODE, [join(root, 'scripts', 'build.ts'), join(installed, 'dist')])
  linkDependencies(folder)
  return installed
}

/** Everything but the development dependencies' own commands: `npm install assay` would bring them. */
function linkDependencies(folder: string): void {
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.')) continue
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
}
