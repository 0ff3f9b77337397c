import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { type FolderWatch, loadFolder, watchFolder } from './folder.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-policies-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function put(path: string, text: string | Uint8Array): Promise<void> {
  const at = join(dir, path)
  await mkdir(join(at, '..'), { recursive: true })
  await writeFile(at, text)
}
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof ConfigError ? error.code : error),
  )

describe('loadFolder', () => {
  test('takes sources of all folders, and nothing else', async () => {
    await put('main.rego', 'package main')
    await put('a/b/data.json', '{}')
    await put('a/b/x_test.rego', 'package b_test')
    await put('a/data.yaml', 'x: 1')
    await put('a/README.md', 'no')
    await put('.git/x.rego', 'no')
    await put('a/.x.rego.swp', 'no')
    await put('a/.hidden.rego', 'no')
    await put('capabilities/trust.json', 'no')
    await put('a/capabilities/data.json', '{"x":1}')
    expect(await loadFolder(dir)).toEqual({
      'main.rego': 'package main',
      'a/b/data.json': '{}',
      'a/b/x_test.rego': 'package b_test',
      'a/data.yaml': 'x: 1',
      'a/capabilities/data.json': '{"x":1}',
    })
  })

  test('keeps the bytes of a text, its byte order mark too', async () => {
    await put('x.rego', '\ufeffpackage x\r\n')
    expect(await loadFolder(dir)).toEqual({ 'x.rego': '\ufeffpackage x\r\n' })
  })

  test('refuses what it cannot take as it is', async () => {
    expect(await code(loadFolder(join(dir, 'nowhere')))).toBe('not_found')
    await put('x.rego', Uint8Array.of(0x70, 0xff))
    expect(await code(loadFolder(dir))).toBe('invalid_config')
  })

  test('refuses a folder in the place of a source, and a file in the place of the folder', async () => {
    await put('plain.rego', 'package plain')
    expect(await code(loadFolder(join(dir, 'plain.rego')))).toBe('invalid_config')
    await put(`${'deep/'.repeat(40)}x.rego`, 'package x')
    expect(await code(loadFolder(dir))).toBe('invalid_config')
  })

  test('follows links to files within, as a ConfigMap has them, and no others', async () => {
    await put('..2026_11_21/x.rego', 'package x')
    await symlink('..2026_11_21', join(dir, '..data'))
    await symlink('..data/x.rego', join(dir, 'x.rego'))
    expect(await loadFolder(dir)).toEqual({ 'x.rego': 'package x' })
    await symlink('/etc/hostname', join(dir, 'y.rego'))
    expect(await code(loadFolder(dir))).toBe('invalid_config')
    await rm(join(dir, 'y.rego'))
    await symlink('.', join(dir, 'loop'))
    expect(await code(loadFolder(dir))).toBe('invalid_config')
    await rm(join(dir, 'loop'))
    await symlink('gone.rego', join(dir, 'z.rego'))
    expect(await code(loadFolder(dir))).toBe('not_found')
  })
})

describe('watchFolder', () => {
  let seen: Sources[]
  let watch: FolderWatch
  const latest = (sources: Sources): Promise<void> =>
    vi.waitFor(() => expect(seen.at(-1)).toEqual(sources), { timeout: 5000, interval: 10 })
  const start = async (options = {}): Promise<void> => {
    seen = []
    watch = watchFolder(dir, (sources) => seen.push(sources), {
      known: await loadFolder(dir),
      quietMs: 20,
      ...options,
    })
  }
  const settled = (ms = 200): Promise<void> => new Promise((done) => setTimeout(done, ms))
  beforeEach(() => put('x.rego', 'package x'))
  afterEach(() => watch.close())

  test('sees a save, a rename over the file, a new folder and a removal', async () => {
    await start()
    await put('x.rego', 'package x1')
    await latest({ 'x.rego': 'package x1' })
    await put('.x.rego.tmp', 'package x2')
    await rename(join(dir, '.x.rego.tmp'), join(dir, 'x.rego'))
    await latest({ 'x.rego': 'package x2' })
    await put('new/deep/y.rego', 'package y')
    await latest({ 'x.rego': 'package x2', 'new/deep/y.rego': 'package y' })
    await put('new/deep/y.rego', 'package y2')
    await latest({ 'x.rego': 'package x2', 'new/deep/y.rego': 'package y2' })
    await rm(join(dir, 'new'), { recursive: true })
    await latest({ 'x.rego': 'package x2' })
  })

  test('needs no events: a folder that was replaced is still watched', async () => {
    await start({ everyMs: 50 })
    await rename(dir, `${dir}.old`)
    await settled()
    await mkdir(dir)
    await put('x.rego', 'package replaced')
    await latest({ 'x.rego': 'package replaced' })
    await put('x.rego', 'package replaced2')
    await latest({ 'x.rego': 'package replaced2' })
    await rm(`${dir}.old`, { recursive: true })
  })

  test('only content counts: touching, saving the same and other files say nothing', async () => {
    await start({ everyMs: 30 })
    await settled()
    await put('x.rego', await readFile(join(dir, 'x.rego')))
    await put('README.md', 'text')
    await settled()
    expect(seen).toEqual([])
  })

  test('a burst of saves is one change or few, and the last content is among them', async () => {
    await start({ quietMs: 100 })
    for (let i = 0; i < 50; i++) await put('x.rego', `package x${i}`)
    await latest({ 'x.rego': 'package x49' })
    expect(seen.length).toBeLessThan(10)
  })

  test('what changed before it started is a change', async () => {
    await start({ known: { 'x.rego': 'package old' } })
    await latest({ 'x.rego': 'package x' })
  })

  test('an unreadable folder is said once, and its return is a change only with other content', async () => {
    const errors: unknown[] = []
    await start({ everyMs: 30, onError: (error: unknown) => errors.push(error) })
    await settled()
    await rename(dir, `${dir}.away`)
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    await settled()
    expect(errors).toHaveLength(1)
    await rename(`${dir}.away`, dir)
    await settled()
    expect(seen).toEqual([])
  })

  test('calls nothing after close', async () => {
    await start({ everyMs: 20 })
    await watch.close()
    await put('x.rego', 'package x9')
    await settled()
    expect(seen).toEqual([])
  })
})
