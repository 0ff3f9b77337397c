/** A process that is killed between a decision about a key and what custody does: the next one finishes it, once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { compiler } from '../rego.ts'
import { testFolder, withLogKey } from './folder.ts'
import type { Stop } from './killed-child.ts'
import { begin, type Signing, signing, TASK } from './kit.ts'

afterAll(() => compiler.close())

async function open(folder: string): Promise<Signing> {
  const custody = await openFileCustody({ dir: join(folder, 'keys') })
  const pair = await openSqlite({ path: join(folder, 'assay.db') })
  return signing({ custody, pair })
}

async function killedAt(folder: string, stop: Stop): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'killed-child.ts'), folder, stop],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  expect(String(said)).toBe('here\n')
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

const onRecord = async (place: Signing) => (await place.key()).versions.map(({ state }) => state)

test('what was decided is done after a kill, and done once', { timeout: 120_000 }, async () => {
  const folder = await testFolder()
  await withLogKey(await openFileCustody({ dir: join(folder, 'keys') }))
  let place = await open(folder)
  await begin(place)
  await place.kernel.close()

  await killedAt(folder, 'create-after')
  place = await open(folder)
  await expect.poll(() => onRecord(place)).toEqual(['active', 'pre-active'])
  expect(await place.states()).toEqual(['active', 'pre-active'])
  expect((await place.set()).set.version).toBe(2)
  await place.kernel.close()

  await killedAt(folder, 'transition-before')
  place = await open(folder)
  await expect.poll(() => onRecord(place)).toEqual(['grace', 'active'])
  expect((await place.set()).set.version).toBe(3)
  // What ended is ended in custody too, when its time has come.
  place.clock.advance(5000)
  await place.settled()
  expect(await place.states()).toEqual(['grace', 'active'])
  expect(await place.ask('signer.rotate', TASK)).toEqual([true, 'rotation_begun'])
  await place.settled()
  await place.kernel.close()
})

test('custody that is ahead of the record does no harm', { timeout: 120_000 }, async () => {
  const folder = await testFolder()
  await withLogKey(await openFileCustody({ dir: join(folder, 'keys') }))
  let place = await open(folder)
  await begin(place)
  await place.ask('signer.rotate', TASK)
  await place.settled()
  await place.kernel.close()

  await killedAt(folder, 'transition-after')
  const custody = await openFileCustody({ dir: join(folder, 'keys') })
  // Nobody is told of the new key yet, and the one that verifiers know still signs.
  expect((await custody.list('task')).map(({ state }) => state)).toEqual(['active', 'active'])
  place = await open(folder)
  await expect.poll(() => onRecord(place)).toEqual(['grace', 'active'])
  await place.kernel.close()
})
