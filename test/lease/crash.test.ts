/**
 * Kill -9 at every step of a lease's life, from the resource to the report on its teardown. Afterwards each step has happened with its leaf,
 * or not at all; what has to be torn down is, at least once; and what could not be is fenced.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { serialize } from 'node:v8'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../adapters/clock/system.ts'
import { compiler } from '../rego.ts'
import { type Answer, type Desk, DONE, FAILED, openDesk } from './desk.ts'
import { leaseBundle } from './kit.ts'
import { GPU, makeKeys, openProcess, settled } from './steps.ts'
import { readTable } from './table.ts'
import { World } from './world.ts'

const CHILD = join(import.meta.dirname, 'crash-child.ts')
afterAll(() => compiler.close())

interface Life {
  /** Decisions that were answered before the end. */
  readonly answered: readonly string[]
  /** Undefined where it was killed. */
  readonly points: number | undefined
}

async function childLife(folder: string, url: string, at: number): Promise<Life> {
  const child = spawn(process.execPath, [CHILD, folder, url, String(at)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_, signal) => resolve(signal)),
  )
  const lines = (await text(child.stdout)).split('\n').filter((line) => line !== '')
  const killed = (await exit) === 'SIGKILL'
  const last = killed ? undefined : lines.pop()
  return { answered: lines, points: last === undefined ? undefined : Number(last.split(' ')[1]) }
}

async function prepared(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-lease-crash-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'bundle'), serialize(await leaseBundle()))
  await makeKeys(folder)
  return folder
}

/** What the next process finds and finishes: the actions in the log, and the state of the resource. */
async function aftermath(
  folder: string,
  desk: Desk,
  { answered }: Life,
): Promise<{ readonly actions: readonly string[]; readonly state: string | undefined }> {
  const bundle = await leaseBundle()
  const place = await openProcess({ folder, url: desk.url, bundle, clock: systemClock })
  try {
    await settled(place)
    const world = new World(place, readTable())
    const decided = await world.replay()
    await world.checkRecords()
    const ids = decided.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining([...answered]))
    const state = (await place.resource(GPU))?.state
    return { actions: decided.map(({ action }) => action), state }
  } finally {
    await place.kernel.close()
  }
}

const LIFE = ['lease.add-resource', 'lease.grant', 'lease.renew', 'lease.free', 'lease.torn-down']

test.each<[string, Answer, string]>([
  ['is done', DONE, 'free'],
  ['fails', FAILED, 'fenced'],
])(
  'killed at every point of a life whose teardown %s',
  { timeout: 600_000 },
  async (_, answer, end) => {
    const desk = await openDesk()
    onTestFinished(() => desk.close())
    desk.answer(answer)
    const whole = await childLife(await prepared(), desk.url, 0)
    expect(whole.answered).toHaveLength(4)
    const seen = new Set<string>()
    for (let at = 1; at <= (whole.points ?? 0); at++) {
      desk.asked.length = 0
      const folder = await prepared()
      const life = await childLife(folder, desk.url, at)
      const { actions, state } = await aftermath(folder, desk, life)
      expect(actions).toEqual(LIFE.slice(0, actions.length))
      const freed = actions.includes('lease.free')
      expect(actions.includes('lease.torn-down')).toBe(freed)
      if (freed) expect(desk.asked.length).toBeGreaterThanOrEqual(1)
      seen.add(actions.join(' '))
      expect(state).toBe(freed ? end : heldAfter(actions))
    }
    // Each number of steps was found at some point, so the points were where they should be.
    expect(seen.size).toBe(LIFE.length)
  },
)

const heldAfter = (actions: readonly string[]): string | undefined =>
  actions.includes('lease.grant') ? 'leased' : actions.length > 0 ? 'free' : undefined
