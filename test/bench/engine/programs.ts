/** The peers that are programs, built once a version into a cache folder. */
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = join(import.meta.dirname, 'peers')

function cache(name: string): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'assay', 'bench', name)
}

/** OPA's evaluator embedded in a Go program. @throws without Go */
export async function opaPeer(): Promise<string> {
  const path = cache('opa-peer-1.22.0')
  await run('go', ['build', '-o', path, '.'], {
    cwd: join(here, 'opa'),
    env: { ...process.env, GOFLAGS: '' },
  })
  return path
}

/** regorus and Cedar in a Rust program. @throws without cargo */
export async function rustPeers(): Promise<string> {
  const target = cache('rust-peers')
  const manifest = join(here, 'rust/Cargo.toml')
  const build = [
    'build',
    '--release',
    '--locked',
    '--manifest-path',
    manifest,
    '--target-dir',
    target,
  ]
  await run('cargo', build, { maxBuffer: 64 * 1024 * 1024 })
  return join(target, 'release', 'engine-peers')
}
