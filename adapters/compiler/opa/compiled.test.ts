import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { Bundle } from '../../../core/ports/compiler.ts'
import { createOpaCompiler } from './index.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-compiled-'))
})
afterEach(() => rm(folder, { recursive: true }))
const plain = createOpaCompiler()
afterAll(() => plain.close())

const options = { capabilities: 'trust', entrypoints: ['p/allow'] } as const
const sources = (n: number) => ({ 'p.rego': `package p\n\nallow := input.n > ${n}\n` })

/** As a process of its own would, in which compiling takes too long: what it gives is not compiled. */
async function later(n: number): Promise<Bundle | string> {
  const compiler = createOpaCompiler({ compiled: folder, deadlineMs: 1 })
  try {
    return await compiler.build(sources(n), options)
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await compiler.close()
  }
}

async function now(n: number): Promise<Bundle> {
  const compiler = createOpaCompiler({ compiled: folder })
  try {
    return await compiler.build(sources(n), options)
  } finally {
    await compiler.close()
  }
}

test('what was compiled is there for the next process, and for the same sources only', async () => {
  const built = await now(1)
  expect(await later(1)).toEqual(built)
  expect(built).toEqual(await plain.build(sources(1), options))
  expect(await later(2)).toBe('timeout')
})

test('a file that was changed or shortened is compiled again', async () => {
  const built = await now(1)
  const [name = ''] = await readdir(folder)
  const text = await readFile(join(folder, name), 'utf8')
  for (const spoilt of [text.slice(0, -9), text.replace('allow', 'deny!'), '']) {
    await writeFile(join(folder, name), spoilt)
    expect(await later(1)).toBe('timeout')
    expect(await now(1)).toEqual(built)
  }
})

test('a folder that others may write to is refused', async () => {
  await now(1)
  await chmod(folder, 0o777)
  expect(await later(1)).toBe('unavailable')
})

test('a folder that cannot be written is no failure', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const compiler = createOpaCompiler({ compiled: join(file, 'below') })
  expect((await compiler.build(sources(1), options)).digest).toMatch(/^sha256:/)
  await compiler.close()
})

test('a closed compiler gives nothing, compiled or not', async () => {
  await now(1)
  const compiler = createOpaCompiler({ compiled: folder })
  await compiler.close()
  await expect(compiler.build(sources(1), options)).rejects.toMatchObject({ code: 'closed' })
})
