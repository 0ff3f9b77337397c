import { mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileError, makeFolder, replaceFile, temporaryFolder } from './folder.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-folder-'))
})
afterEach(() => rm(dir, { recursive: true }))

describe('the data folder', () => {
  it('is made once, for its owner', async () => {
    await makeFolder(join(dir, 'a', 'b'))
    await makeFolder(join(dir, 'a', 'b'))
    expect((await stat(join(dir, 'a', 'b'))).mode & 0o777).toBe(0o700)
  })

  it('has files that are replaced whole, for their owner, and leaves nothing beside them', async () => {
    const file = join(dir, 'trust.json')
    await replaceFile(file, 'one')
    await replaceFile(file, 'two')
    expect(await readFile(file, 'utf8')).toBe('two')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(dir)).toEqual(['trust.json'])
  })

  it('replaces a link, not what it leads to', async () => {
    await replaceFile(join(dir, 'target'), 'old')
    await symlink('target', join(dir, 'link'))
    await replaceFile(join(dir, 'link'), 'new')
    expect(await readFile(join(dir, 'target'), 'utf8')).toBe('old')
  })

  it.each([
    ['EROFS', 'read_only'],
    ['EACCES', 'read_only'],
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EIO', 'unavailable'],
  ])('%s is %s', (system, code) => {
    expect(fileError(Object.assign(new Error(), { code: system }), 'x')).toMatchObject({ code })
  })

  it('is refused where there can be none', async () => {
    await replaceFile(join(dir, 'file'), '')
    await expect(makeFolder(join(dir, 'file'))).rejects.toMatchObject({ code: 'unavailable' })
    await expect(replaceFile(join(dir, 'none', 'f'), '')).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})

it('a temporary folder is for its owner, and gone once it is removed', async () => {
  const { path, remove } = await temporaryFolder()
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  await remove()
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
})
