/** Packages that only benchmarks use, each installed once into a cache folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** @param spec `name@version` @returns the folder that has it in `node_modules` @throws when npm does */
export function npmPackage(spec: string): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'assay', 'bench', spec.replaceAll('/', '-'))
  if (existsSync(join(folder, 'node_modules'))) return folder
  mkdirSync(folder, { recursive: true })
  const flags = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  execFileSync('npm', ['install', ...flags, spec], { stdio: 'ignore' })
  return folder
}
