/** The installed package, imported by name from a folder that knows nothing of this repository. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installAssay, NODE } from '../installed.ts'
import { readText, root } from '../source.ts'

const { exports, version } = JSON.parse(readText('package.json')) as {
  exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  version: string
}
const subpaths = Object.entries(exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [[subpath, target] as const],
)
const folder = mkdtempSync(join(tmpdir(), 'assay-package-'))
const installed = join(folder, 'node_modules', 'assay')

beforeAll(() => {
  installAssay(folder)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

function program(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return execFileSync(NODE, [name], { cwd: folder, encoding: 'utf8' })
}

describe('every subpath', () => {
  test.each(subpaths)('%s has its source, its code and its types', (_subpath, target) => {
    expect(Object.keys(target)).toEqual(['assay-source', 'types', 'default'])
    expect(existsSync(join(root, target['assay-source'] ?? ''))).toBe(true)
    expect(existsSync(join(installed, target.default ?? ''))).toBe(true)
    expect(existsSync(join(installed, target.types ?? ''))).toBe(true)
  })

  test.each(subpaths)('%s can be imported by name', (subpath) => {
    const specifier = `assay${subpath.slice(1)}`
    const count = `console.log(Object.keys(await import('${specifier}')).length)`
    expect(Number(program('import.mjs', count))).toBeGreaterThan(0)
  })

  test('type checks for a strict consumer', () => {
    const imports = subpaths.map(
      ([subpath], i) => `import type * as m${i} from 'assay${subpath.slice(1)}'`,
    )
    const used = subpaths.map((_, i) => `export type T${i} = keyof typeof m${i}`)
    const text = [...imports, ...used, EMBED].join('\n')
    writeFileSync(join(folder, 'consumer.mts'), text)
    const flags = '--noEmit --strict --target es2024 --module nodenext --types node'.split(' ')
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    execFileSync(tsc, [...flags, 'consumer.mts'], { cwd: folder, stdio: 'inherit' })
  })
})

const EMBED = `
import { open } from 'assay'
const assay = await open({ data: 'data' })
const decision = await assay.decide({
  subject: { type: 'user', id: 'nobody' },
  action: { name: 'read' },
  resource: { type: 'document', id: 'none' },
})
console.log(decision.allow, (await decision.receipt()).type)
await assay.close()
`

test('the installed package decides in process', { timeout: 60_000 }, () => {
  expect(program('embed.mjs', EMBED).trim()).toBe('false assay.receipt/v1')
})

test('the installed command runs', { timeout: 60_000 }, () => {
  const command = join(installed, 'bin', 'assay')
  const env = { ...process.env, PATH: `${dirname(NODE)}:${process.env.PATH}` }
  expect(execFileSync(command, ['--version'], { encoding: 'utf8', env }).trim()).toBe(version)
  const test_ = ['policy', 'test', join(installed, 'policies'), '--json']
  expect(JSON.parse(execFileSync(command, test_, { encoding: 'utf8', env })).tests).not.toEqual([])
})
