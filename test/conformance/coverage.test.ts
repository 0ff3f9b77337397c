/**
 * Nobody slips out: every adapter of a port with a suite keeps every law of it or is excepted with a reason, and what each one reached
 * is printed. `REQUIRE_BACKENDS` (`all`, or adapter names) makes "not run" a failure.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import exceptions from './exceptions.json' with { type: 'json' }
import { collectLaws, isRequired, type Law, type Registration } from './laws.ts'

const root = resolve(import.meta.dirname, '../..')
const folders = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true }).flatMap((one) =>
        one.isDirectory() ? [one.name] : [],
      )
    : []

/** Ports whose adapters have a suite each; a store's suite brings the one of its log. */
const PORTS = [
  'store',
  'custody',
  'secrets',
  'engine',
  'compiler',
  'outbound',
  'transport',
] as const
/** What several adapters stand on, and none by itself. */
const SHARED: ReadonlySet<string> = new Set([
  'engine/builtins',
  'engine/data',
  'engine/value',
  'secrets/hpke',
])
const adapters = PORTS.flatMap((port) =>
  folders(join(root, 'adapters', port)).map((name) => ({
    port,
    at: `${port}/${name}`,
    file: join(root, 'adapters', port, name, 'conformance.test.ts'),
  })),
).filter(({ at }) => !SHARED.has(at))

/** The laws of a port, by the suite's name. */
async function lawsOf(port: string): Promise<string[]> {
  const suite: Record<string, unknown> = await import(join(import.meta.dirname, `${port}.ts`))
  return (suite[`${port}Laws`] as Law<never>[]).map(({ name }) => name)
}

const registered = new Map<string, readonly Registration[]>()
for (const { at, file } of adapters)
  registered.set(at, existsSync(file) ? await collectLaws(() => import(file)) : [])
const all = [...registered.values()].flat()

describe.each(adapters)('$at', ({ port, at }) => {
  test('keeps every law of its port under its own name', async () => {
    const own = (registered.get(at) ?? []).filter(({ subject }) => subject.name === at)
    const suites = port === 'store' ? ['store', 'logstore'] : [port]
    for (const suite of suites) {
      const found = own.filter(({ title }) => title === suite).flatMap(({ laws }) => laws)
      expect(found).toEqual(await lawsOf(suite))
    }
  })
})

test('adapters were found', () => {
  expect(adapters.map(({ at }) => at)).toEqual(
    expect.arrayContaining(['store/memory', 'store/sqlite', 'custody/file']),
  )
})

test('no conformance test skips or picks laws', () => {
  const evading = adapters.filter(
    ({ file }) =>
      existsSync(file) && /\.skip\b|\.filter\(|\.only\b/.test(readFileSync(file, 'utf8')),
  )
  expect(evading.map(({ at }) => at)).toEqual([])
})

test('every exception names an adapter, a law of it, and a reason', () => {
  const known = new Set(
    all.flatMap(({ subject, laws }) => laws.map((law) => `${subject.name} / ${law}`)),
  )
  for (const [name, reason] of Object.entries<string>(exceptions)) {
    expect(known).toContain(name)
    expect(reason.length).toBeGreaterThan(10)
  }
})

test('what each adapter reached', async () => {
  const rows: string[][] = []
  const missing: string[] = []
  for (const { at } of adapters) {
    const own = (registered.get(at) ?? []).filter(({ subject }) => subject.name === at)
    const subject = own[0]?.subject
    const available = (await subject?.available?.()) ?? (subject ? true : 'no conformance test')
    const reached = available === true ? (subject?.backend ?? 'real') : `not run (${available})`
    if (available !== true && isRequired(at)) missing.push(at)
    const laws = own.reduce((sum, one) => sum + one.laws.length, 0)
    const excepted = Object.keys(exceptions).filter((name) => name.startsWith(`${at} / `)).length
    rows.push([at, reached, `${laws} laws, ${excepted} excepted`])
  }
  const width = Math.max(...rows.map(([at = '']) => at.length))
  console.log(
    rows.map(([at = '', ...rest]) => `${at.padEnd(width)}  ${rest.join('  ')}`).join('\n'),
  )
  expect(missing).toEqual([])
})
