/** kill -9 between the steps of a swap: the next start serves the old bundle or the new one, as the log says, and needs no source for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { archive, reasonNow, type Signer, signer } from '../bundles.ts'
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
async function offer(counter: number, code: string): Promise<void> {
  await writeFile(join(folder, 'made'), await archive({ counter, code }, ...KEYS))
  await rename(join(folder, 'made'), join(folder, 'next.tar.gz'))
}

/** A process that serves `old` and stops at `step` of taking `new`, killed there. */
async function killedAt(step: Step): Promise<void> {
  await offer(1, 'old')
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
  await offer(2, 'new')
  await here
  const exit = once(started, 'exit')
  started.kill('SIGKILL')
  await exit
}

const steps: readonly (readonly [Step, string])[] = [
  ['verified', 'old'],
  ['tried', 'old'],
  ['kept', 'old'],
  ['activated', 'new'],
]
for (const [step, serves] of steps)
  test(`killed once it was ${step}: ${serves} serves, without the source`, async () => {
    await killedAt(step)
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
