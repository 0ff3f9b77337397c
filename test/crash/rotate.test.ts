/** `assay log rotate-key`, killed as soon as one of its traces is on the disk: whoever comes next takes the rest of the steps. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { fsck } from '../../core/log/fsck.ts'
import { Place } from '../composed.ts'
import { compiler } from '../rego.ts'
import { ASSAY } from '../server.ts'

let place: Place
beforeEach(async () => {
  place = await Place.make()
  await place.start()
  await place.stop()
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

const keyFiles = (): number => readdirSync(join(place.data, 'keys'), { recursive: true }).length
const noted = (): boolean => readdirSync(place.data).some((name) => name.startsWith('key-change'))

/** True when the command was killed before it had ended. */
async function killedWhen(trace: () => boolean): Promise<boolean> {
  const child = spawn(ASSAY, ['log', 'rotate-key', '--data', place.data], { stdio: 'ignore' })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_, signal) => resolve(signal)),
  )
  while (child.exitCode === null && !trace()) await sleep(0)
  child.kill('SIGKILL')
  return (await ended) !== null
}

it.each<[string, () => () => boolean]>([
  [
    'the new key',
    () => {
      const before = keyFiles()
      return () => keyFiles() > before
    },
  ],
  ['the head that both keys sign', () => noted],
])('after %s', { timeout: 120_000 }, async (_, watch) => {
  const killed = await killedWhen(watch())
  place.clock.set(Date.now())
  const server = await place.start()
  const { keys } = server.anchor
  // Killed before the leaf was there, nothing was changed; afterwards all of it is.
  expect(keys.length).toBe(noted() ? 2 : 1)
  if (!killed) expect(keys.length).toBe(2)
  expect(await fsck(server.kernel.log, server.anchor)).toMatchObject({ ok: true })
  await place.stop()
  // And it can be done again.
  const again = spawn(ASSAY, ['log', 'rotate-key', '--data', place.data], { stdio: 'ignore' })
  expect(await new Promise((resolve) => again.once('exit', resolve))).toBe(0)
  const after = await place.start()
  expect(after.anchor.keys.length).toBe(keys.length + 1)
  expect(await fsck(after.kernel.log, after.anchor)).toMatchObject({ ok: true })
})
