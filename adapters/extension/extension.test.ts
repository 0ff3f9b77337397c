import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadAdapter, loadPlugin } from './load.ts'
import { resolveModule } from './resolve.ts'

let dir: string
const put = async (path: string, content: object | string): Promise<void> => {
  await mkdir(dirname(join(dir, path)), { recursive: true })
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  await writeFile(join(dir, path), text)
}
const PLUGIN = 'export default { plugin: { name: "p", actions: [], schema: {}, facts() {} } }'

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-extension-'))
  await put('node_modules/plain/package.json', { main: './lib/main.js' })
  await put('node_modules/plain/lib/main.js', PLUGIN)
  await put(
    'node_modules/bare/index.js',
    'export default { adapter: { port: "store", open() {} } }',
  )
  await put('node_modules/@acme/only-import/package.json', {
    type: 'module',
    exports: { '.': { types: './t.d.ts', import: './m.js' }, './adapter': { node: './a.js' } },
  })
  await put('node_modules/@acme/only-import/m.js', PLUGIN)
  await put('node_modules/@acme/only-import/a.js', 'export default {}')
  await put('node_modules/sugar/package.json', { exports: './m.mjs' })
  await put('node_modules/sugar/m.mjs', PLUGIN)
  await put('node_modules/escape/package.json', { exports: '../sugar/m.mjs' })
  await put('node_modules/broken/index.js', 'export default {')
  await put('node_modules/nothing/index.js', 'export const plugin = {}')
  await put('node_modules/remote/index.js', 'export default { plugin: {}, policies: "x" }')
  await put('app/local/plugin.mjs', PLUGIN)
  await put('app/node_modules/plain/index.js', 'export default { plugin: { name: "nearer" } }')
})
afterAll(() => rm(dir, { recursive: true }))

describe('a package name', () => {
  const found = (specifier: string, from = ''): string | undefined =>
    resolveModule(specifier, join(dir, from))?.href
  const at = (path: string): string => pathToFileURL(join(dir, path)).href

  it('is found as Node finds it from that folder', () => {
    expect(found('plain')).toBe(at('node_modules/plain/lib/main.js'))
    expect(found('plain', 'app')).toBe(at('app/node_modules/plain/index.js'))
    expect(found('bare', 'app/deeper')).toBe(at('node_modules/bare/index.js'))
    expect(found('sugar')).toBe(at('node_modules/sugar/m.mjs'))
  })

  it('needs no entry point for require', () => {
    expect(found('@acme/only-import')).toBe(at('node_modules/@acme/only-import/m.js'))
    expect(found('@acme/only-import/adapter')).toBe(at('node_modules/@acme/only-import/a.js'))
  })

  it('reaches what the package exports, and nothing outside of it', () => {
    expect(found('@acme/only-import/m.js')).toBeUndefined()
    expect(found('escape')).toBeUndefined()
    expect(found('sugar/../plain')).toBeUndefined()
    expect(found('absent')).toBeUndefined()
    expect(found('')).toBeUndefined()
  })

  it('may be a path instead', () => {
    expect(found(join(dir, 'app/local/plugin.mjs'))).toBe(at('app/local/plugin.mjs'))
    expect(found(join(dir, 'node_modules/plain'))).toBe(at('node_modules/plain/lib/main.js'))
    expect(found(join(dir, 'app/local/none.mjs'))).toBeUndefined()
  })
})

describe('loading', () => {
  it('gives the plugin, or the adapter of the port', async () => {
    expect((await loadPlugin('@acme/only-import', dir, '')).extension.plugin.name).toBe('p')
    expect((await loadAdapter('store', 'bare', dir, '')).port).toBe('store')
  })

  it.each(['absent', 'broken', 'nothing', 'bare', 'remote'])(
    'refuses %s as a plugin',
    async (name) => {
      await expect(loadPlugin(name, dir, '')).rejects.toMatchObject({ code: 'unknown_plugin' })
    },
  )

  it.each(['absent', 'broken', 'plain', '@acme/only-import/adapter'])(
    'refuses %s as a store',
    async (name) => {
      await expect(loadAdapter('store', name, dir, '')).rejects.toMatchObject({
        code: 'unknown_adapter',
      })
    },
  )

  it('refuses an adapter of another port', async () => {
    await expect(loadAdapter('custody', 'bare', dir, '')).rejects.toMatchObject({
      code: 'unknown_adapter',
    })
  })
})
