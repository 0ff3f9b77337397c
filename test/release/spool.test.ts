/** What is installed is whole or not there, whatever happens on the way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Spool } from '../../cli/release/spool.ts'
import { type Fault, Faults } from '../fault/fault.ts'

let folder: string
let place: string
let target: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-spool-'))
  place = join(folder, 'place')
  target = join(place, 'it')
  await mkdir(place)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text)
}
const hash = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text).digest('hex')

async function installed(text: string): Promise<void> {
  const spool = await Spool.open(target)
  await spool.take(chunks(text), 0)
  await spool.install()
  await spool.close()
}

test('the digests are those of all the bytes, which come back where there are few', async () => {
  const spool = await Spool.open()
  const digests = {
    blake2b512: hash('blake2b512', 'abcd'),
    sha256: hash('sha256', 'abcd'),
    size: 4,
  }
  const content = new TextEncoder().encode('abcd')
  expect(await spool.take(chunks('ab', 'cd'), 4)).toEqual({ ...digests, content })
  expect(await (await Spool.open()).take(chunks('ab', 'cd'), 3)).toEqual({
    ...digests,
    content: undefined,
  })
  await spool.close()
})

test('nothing has a name before it is installed', async () => {
  const spool = await Spool.open(target)
  await spool.take(chunks('bytes'), 0)
  expect(await readdir(place)).toEqual([])
  await spool.install()
  await spool.close()
  expect(await readFile(target, 'utf8')).toBe('bytes')
  expect((await stat(target)).mode & 0o777).toBe(0o644 & ~process.umask())
})

test('a link is replaced, not followed', async () => {
  await writeFile(join(place, 'elsewhere'), 'before')
  await symlink('elsewhere', target)
  await installed('after')
  expect(await readFile(join(place, 'elsewhere'), 'utf8')).toBe('before')
  expect(await readFile(target, 'utf8')).toBe('after')
  await expect(readlink(target)).rejects.toMatchObject({ code: 'EINVAL' })
})

test('where a folder came to stand, nothing is installed and nothing left', async () => {
  const spool = await Spool.open(target)
  await spool.take(chunks('bytes'), 0)
  await mkdir(join(target, 'in'), { recursive: true })
  await expect(spool.install()).rejects.toMatchObject({ code: /EISDIR|ENOTEMPTY|EEXIST/ })
  await spool.close()
  expect(await readdir(place)).toEqual(['it'])
})

test('what somebody else is installing is left alone, what a dead process left is not', async () => {
  const [ours, dead] = [
    `.it.assay-${process.pid}-${'0'.repeat(16)}`,
    `.it.assay-999999999-${'0'.repeat(16)}`,
  ]
  const others = ['.it.assay-x-1', 'it.assay-1-0', '.other.assay-999999999-0000000000000000']
  for (const name of [ours, dead, ...others]) await writeFile(join(place, name), '')
  await installed('bytes')
  expect((await readdir(place)).sort()).toEqual([ours, 'it', ...others].sort())
})

const child = (env: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'spool-child.ts'), target], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
const WHOLE = createHash('sha256')
for (let i = 0; i < 32; i++) WHOLE.update(new Uint8Array(1_048_576).fill(i))
const whole = WHOLE.digest('hex')

async function isOldOrWhole(): Promise<'old' | 'whole'> {
  const bytes = await readFile(target)
  if (bytes.toString('latin1', 0, 6) === 'before' && bytes.length === 6) return 'old'
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(whole)
  return 'whole'
}

/** Resolves with what the child said when it has ended; kills it so many milliseconds after it said `step`. */
function killed(process: ChildProcess, step: string, afterMs: number): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    process.stdout?.on('data', (text: Buffer) => {
      const before = said.includes(step)
      said += text
      if (!before && said.includes(step)) setTimeout(() => process.kill('SIGKILL'), afterMs)
    })
    process.once('close', () => resolve(said))
  })
}

test('a process that is killed at any moment leaves the old file or the new one', async () => {
  const seen = new Set<string>()
  for (const step of ['taking', 'installing']) {
    for (const afterMs of [0, 1, 2, 4, 8, 12, 16, 24, 32, 48]) {
      await writeFile(target, 'before')
      await killed(child(), step, afterMs)
      seen.add(await isOldOrWhole())
    }
  }
  expect(seen).toContain('old')
  await writeFile(target, 'before')
  expect(await killed(child(), 'never', 0)).toContain('installed')
  expect(await isOldOrWhole()).toBe('whole')
  // The last one has cleared up after all of them.
  expect(await readdir(place)).toEqual(['it'])
}, 120_000)

test.each<[string, Omit<Fault, 'mode'>, string]>([
  [
    'a full disk while bytes come',
    { operation: 'write', error: 'ENOSPC', path: '.assay-' },
    'ENOSPC',
  ],
  [
    'a full disk while they are copied',
    { operation: 'write', error: 'ENOSPC', skip: 40, path: '.assay-' },
    'ENOSPC',
  ],
  ['a disk that does not keep them', { operation: 'sync', error: 'EIO', path: '.assay-' }, 'EIO'],
  ['a name that cannot be given', { operation: 'rename', error: 'EROFS', path: '/it$' }, 'EROFS'],
])('%s leaves what was there', async (_, fault, code) => {
  await writeFile(target, 'before')
  const faults = new Faults(folder)
  faults.arm({ ...fault, mode: 'always' })
  expect(await killed(child(faults.env), 'never', 0)).toContain(`failed ${code}`)
  expect(faults.events().length).toBeGreaterThan(0)
  expect(await isOldOrWhole()).toBe('old')
  expect(await readdir(place)).toEqual(['it'])
})
