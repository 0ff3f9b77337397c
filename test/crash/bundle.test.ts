/** kill -9 between the steps of a swap: the next start serves the old bundle or the new one, as the log says, and needs no source for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { pack } from '../../adapters/policies/bundle/archive.ts'
import {
  archive,
  deltaFiles,
  FROM_DATA,
  type Made,
  reasonNow,
  type Signer,
  signedBy,
  signer,
} from '../bundles.ts'
import { NODE } from '../installed.ts'
import { compiler } from '../rego.ts'
import type { Step } from './bundle-child.ts'
import { type BundleServer, openBundleServer } from './bundle-server.ts'

const KEYS: readonly Signer[] = [signer('a'), signer('b')]
let folder: string
let child: ChildProcess | undefined
let server: BundleServer | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-bundle-crash-'))
  await writeFile(join(folder, 'roots.json'), JSON.stringify(KEYS.map(({ vkey }) => vkey)))
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})
afterAll(() => compiler.close())

/** Takes its place as a whole. */
async function offer(packed: Uint8Array): Promise<void> {
  await writeFile(join(folder, 'made'), packed)
  await rename(join(folder, 'made'), join(folder, 'next.tar.gz'))
}

type Way = 'bundle' | 'delta'
const made = (counter: number, code: string, way: Way): Made =>
  way === 'bundle'
    ? { counter, code }
    : { counter, rego: FROM_DATA, data: { codes: { now: code } } }

async function next(way: Way): Promise<Uint8Array> {
  const to = made(2, 'new', way)
  if (way === 'bundle') return archive(to, ...KEYS)
  return pack(signedBy(await deltaFiles(made(1, 'old', way), to), ...KEYS))
}

/** A process that serves `old` and stops at `step` of taking `new`, killed there. */
async function killedAt(step: Step, way: Way): Promise<void> {
  await offer(await archive(made(1, 'old', way), ...KEYS))
  const script = join(import.meta.dirname, 'bundle-child.ts')
  const started = spawn(NODE, [script, folder, step], { stdio: ['ignore', 'pipe', 'inherit'] })
  child = started
  const said = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      started.stdout.on('data', (text: Buffer) => text.toString().includes(word) && resolve())
      started.once('exit', () => reject(new Error(`it ended before it said ${word}`)))
    })
  const here = said('here')
  await said('serving')
  await offer(await next(way))
  await here
  const exit = once(started, 'exit')
  started.kill('SIGKILL')
  await exit
}

const steps: readonly (readonly [Way, Step, string])[] = [
  ['bundle', 'verified', 'old'],
  ['bundle', 'tried', 'old'],
  ['bundle', 'kept', 'old'],
  ['bundle', 'activated', 'new'],
  ['delta', 'tried', 'old'],
  ['delta', 'kept', 'old'],
  ['delta', 'activated', 'new'],
]
for (const [way, step, serves] of steps)
  test(`a ${way}: killed once it was ${step}: ${serves} serves, without the source`, async () => {
    await killedAt(step, way)
    await rename(join(folder, 'next.tar.gz'), join(folder, 'away'))
    server = await openBundleServer(folder)
    expect(await reasonNow(server.kernel)).toBe(serves)
    expect(server.keeper.standing.release?.counter).toBe(serves === 'old' ? 1 : 2)
    // With the source back, the new one serves in any case, and the old one never again.
    await server.stop()
    await rename(join(folder, 'away'), join(folder, 'next.tar.gz'))
    server = await openBundleServer(folder)
    server.keeper.follow()
    await expect.poll(() => server?.keeper.standing.release?.counter, { timeout: 20_000 }).toBe(2)
    expect(await reasonNow(server.kernel)).toBe('new')
  }, 90_000)
