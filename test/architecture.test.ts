/**
 * The rules of the layout that a reviewer would otherwise have to remember: which folder may import which, how large a file and a
 * function may be, who may read a clock. Each rule is tried on a made-up file that breaks it, so that it cannot pass by finding nothing.
 */
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Import, readSource, repositoryFiles, type Source } from './source.ts'

const files: readonly string[] = repositoryFiles()
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/')
const shipped: readonly Source[] = files
  .filter(
    (path) =>
      /^(core|formats|plugins|adapters|cli|node-agent)\/.*\.ts$/.test(path) && !isTest(path),
  )
  .map(readSource)

const PORTS = new Set(
  'attestation clock compiler custody engine logstore outbound secrets store transport'.split(' '),
)

/** The folder or file that must not know its siblings: `plugins/access`, `adapters/store/sqlite`, `adapters/config`. */
function unitOf(path: string): string {
  const [top = '', area = '', name = ''] = path.replace(/\.ts$/, '').split('/')
  if (top === 'plugins' || top === 'formats') return `${top}/${area}`
  if (top !== 'adapters') return top
  return PORTS.has(area) ? `adapters/${area}/${name}` : `adapters/${area}`
}

/** Where adapters meet: the composition root and what the package exports. */
const MEETING = new Set([
  'adapters/compose',
  'adapters/compose-cells',
  'adapters/compose-custody',
  'adapters/compose-engine',
  'adapters/compose-explain',
  'adapters/compose-lambda',
  'adapters/compose-lambda-package',
  'adapters/compose-log',
  'adapters/compose-parts',
  'adapters/compose-policies',
  'adapters/compose-realms',
  'adapters/compose-secrets',
  'adapters/compose-signer',
  'adapters/index',
])
/** What `core/log`, and with it a browser, may load. */
const BROWSER =
  /^core\/(log\/[^/]+|base64|canonical|crypto|error|json|memo|p256|platform|schema|utf8)\.ts$/

/** What a plugin may load of core besides. */
const CONTRACT = new Set(['core/effect-kind.ts', 'core/request.ts'])

/** Why this import breaks an arrow of the design, or undefined. */
function brokenArrow(path: string, { from, typeOnly, path: target }: Import): string | undefined {
  const unit = unitOf(path)
  if (from === 'tsyringe' && path !== 'adapters/compose.ts') return 'only compose.ts knows tsyringe'
  if (unit === 'core') return coreArrow(path, from, typeOnly, target)
  if (unit.startsWith('formats/')) return formatArrow(unit, from, target)
  if (unit === 'node-agent') return nodeArrow(from, target)
  if (unit.startsWith('plugins/')) return pluginArrow(unit, from, typeOnly, target)
  if (unit.startsWith('adapters/')) return adapterArrow(unit, target)
  if (target === undefined || !/^(adapters|core|cli|plugins)\//.test(target)) return undefined
  return target.startsWith('plugins/') ? 'the command knows no plugin' : undefined
}

function coreArrow(
  path: string,
  from: string,
  typeOnly: boolean,
  target?: string,
): string | undefined {
  if (target === undefined)
    return from.startsWith('@noble/') ? undefined : 'core imports itself and @noble'
  if (!target.startsWith('core/')) return 'core imports itself and @noble'
  if (path.startsWith('core/log/') && !typeOnly && !BROWSER.test(target))
    return 'core/log runs in a browser'
  return undefined
}

function pluginArrow(
  unit: string,
  from: string,
  typeOnly: boolean,
  target?: string,
): string | undefined {
  if (target === undefined)
    return from.startsWith('node:') ? 'a plugin does no input or output' : undefined
  if (unitOf(target) === unit || target.startsWith('formats/')) return undefined
  if (!target.startsWith('core/')) return 'a plugin knows core and formats only'
  return typeOnly || BROWSER.test(target) || CONTRACT.has(target)
    ? undefined
    : 'a plugin imports types, crypto and log of core'
}

/** Bytes to values and back: no input, no output, no trust decision, and a browser can load it. */
function formatArrow(unit: string, from: string, target?: string): string | undefined {
  if (target === undefined) return from.startsWith('@noble/') ? undefined : 'a format does no I/O'
  if (unitOf(target) === unit || BROWSER.test(target)) return undefined
  return 'a format knows the foundations of core only'
}

/** Runs on a node by itself: formats, the foundations of core, and files. */
function nodeArrow(from: string, target?: string): string | undefined {
  if (target === undefined)
    return /^node:(fs|path)$/.test(from) ? undefined : 'a node has files and nothing else'
  if (/^(node-agent|formats)\//.test(target) || BROWSER.test(target)) return undefined
  return 'a node knows formats and the foundations of core only'
}

/** What every engine stands on: Rego's values, its built-ins, the data of a policy. */
const ENGINES = /^adapters\/engine\/(builtins|data|value)$/
/** How every backend seals a secret to its recipient. */
const SEALING = 'adapters/secrets/hpke'
/** What every client of AWS makes of its errors. */
const AWS = 'adapters/aws'

function adapterArrow(unit: string, target?: string): string | undefined {
  if (target === undefined || MEETING.has(unit) || /^(core|formats)\//.test(target))
    return undefined
  // Which built-ins Rego may use is part of the policies and of the compiler alike.
  if (target.startsWith('policies/capabilities/')) return undefined
  if (unit.startsWith('adapters/engine/') && ENGINES.test(unitOf(target))) return undefined
  // Secrets stand on the custody of the same backend: one encrypted folder, one login.
  if (unit.startsWith('adapters/secrets/') && unitOf(target) === unit.replace('secrets', 'custody'))
    return undefined
  if (unit.startsWith('adapters/secrets/') && unitOf(target) === SEALING) return undefined
  if (unitOf(target) === AWS) return undefined
  // Whoever runs a decision again makes of a policy's data what the engines make of it.
  if (unit === 'adapters/trustpath' && /^adapters\/engine\/(data|value)$/.test(unitOf(target)))
    return undefined
  return unitOf(target) === unit ? undefined : 'adapters meet in compose.ts only'
}

const broken: readonly (readonly [path: string, from: string, as?: 'type'])[] = [
  ['core/kernel.ts', 'node:crypto'],
  ['core/kernel.ts', 'hono', 'type'],
  ['core/kernel.ts', '../adapters/store/sqlite/store.ts', 'type'],
  ['core/log/tree.ts', '../kernel.ts'],
  ['plugins/access/facts.ts', '../capability/facts.ts'],
  ['plugins/access/facts.ts', '../../adapters/store/sqlite/store.ts', 'type'],
  ['plugins/access/facts.ts', '../../core/kernel.ts'],
  ['plugins/access/facts.ts', 'node:fs'],
  ['adapters/store/sqlite/store.ts', '../memory/store.ts', 'type'],
  ['adapters/store/sqlite/store.ts', '../../../plugins/access/facts.ts'],
  ['adapters/store/sqlite/store.ts', '../../config/load.ts'],
  ['adapters/engine/jit/engine.ts', '../wasm/index.ts', 'type'],
  ['adapters/store/sqlite/store.ts', '../../engine/value/value.ts', 'type'],
  ['adapters/secrets/file/secrets.ts', '../../custody/vault/http.ts'],
  ['adapters/custody/file/custody.ts', '../../secrets/file/index.ts', 'type'],
  ['adapters/config/load.ts', 'tsyringe'],
  ['formats/cap1/read.ts', 'node:zlib'],
  ['formats/cap1/read.ts', '../wire/read.ts', 'type'],
  ['formats/cap1/read.ts', '../../core/kernel.ts', 'type'],
  ['cli/main.ts', '../plugins/access/facts.ts'],
  ['node-agent/agent.ts', '../core/kernel.ts', 'type'],
  ['node-agent/agent.ts', 'node:https'],
]

function importFrom(path: string, from: string, typeOnly: boolean): Import {
  const url = new URL(from, `file:///${dirname(path)}/`)
  return { from, typeOnly, path: from.startsWith('.') ? url.pathname.slice(1) : undefined }
}

describe('arrows', () => {
  test('every import follows one', () => {
    const found = shipped.flatMap(({ path, imports }) =>
      imports.flatMap((each) => {
        const why = brokenArrow(path, each)
        return why === undefined ? [] : [`${path} imports ${each.from}: ${why}`]
      }),
    )
    expect(found).toEqual([])
  })

  for (const [path, from, as] of broken)
    test(`${path} may not import ${from}`, () => {
      expect(brokenArrow(path, importFrom(path, from, as === 'type'))).toBeTypeOf('string')
    })

  test('core/log and what it loads ask for nothing but @noble, so a browser can load them', () => {
    const byPath = new Map(shipped.map((source) => [source.path, source]))
    const reached = new Set<string>()
    const visit = (path: string): string[] => {
      if (reached.has(path)) return []
      reached.add(path)
      return (byPath.get(path)?.imports ?? []).flatMap(({ from, path: target }) =>
        target !== undefined
          ? visit(target)
          : from.startsWith('@noble/')
            ? []
            : [`${path}: ${from}`],
      )
    }
    const starts = shipped.filter(({ path }) => path.startsWith('core/log/'))
    expect(starts.flatMap(({ path }) => visit(path))).toEqual([])
    expect(reached.size).toBeGreaterThan(5)
  })
})

/** What the kernel and the log both stand on, and what only names things for the outside. */
const FOUNDATIONS =
  /^core\/(base64|canonical|contract|crypto|effect-kind|error|index|json|keymap|keyref|memo|p256|platform|schema|storage|utf8)\.ts$/

describe('budgets, in lines of code without comments', () => {
  const over = (limit: number, found: readonly (readonly [string, number])[]): string[] =>
    found.filter(([, lines]) => lines > limit).map(([name, lines]) => `${name}: ${lines}`)
  const total = (pattern: RegExp): number =>
    shipped
      .filter(({ path }) => pattern.test(path))
      .reduce((sum, { codeLines }) => sum + codeLines, 0)

  test('a file has at most 300', () => {
    expect(
      over(
        300,
        shipped.map(({ path, codeLines }) => [path, codeLines]),
      ),
    ).toEqual([])
  })

  test('a function has at most 40 of its own', () => {
    const functions = shipped.flatMap(({ path, functions }) =>
      functions.map(({ name, line, lines }) => [`${path}:${line} ${name}`, lines] as const),
    )
    expect(functions.length).toBeGreaterThan(50)
    expect(over(40, functions)).toEqual([])
  })

  test('decide.ts fits on one screen', () => {
    expect(total(/^core\/decide\.ts$/)).toBeGreaterThan(20)
    expect(total(/^core\/decide\.ts$/)).toBeLessThanOrEqual(100)
  })

  test('the kernel and the log stay within docs/decisions/0004-size-of-the-kernel.md', () => {
    const foundations = total(FOUNDATIONS)
    const lines = {
      kernel: total(/^core\/[^/]+\.ts$/) - foundations,
      search: total(/^core\/search\//),
      shadow: total(/^core\/shadow\//),
      audit: total(/^core\/audit\//),
      log: total(/^core\/log\//),
    }
    console.log('lines of code:', JSON.stringify({ ...lines, foundations }))
    const budget = { kernel: 3400, search: 600, shadow: 350, audit: 120, log: 1600 }
    for (const [folder, most] of Object.entries(budget)) {
      const found = lines[folder as keyof typeof lines]
      expect(found, folder).toBeGreaterThan(most / 2)
      expect(found, folder).toBeLessThanOrEqual(most)
    }
  })
})

describe('what only one place may do', () => {
  const CLOCK = /^(Date\.now|new Date\(\)|performance\.now|process\.hrtime(\.bigint)?)$/
  const users = (name: RegExp, where: RegExp): string[] =>
    shipped
      .filter(({ path }) => where.test(path))
      .flatMap(({ path, names }) =>
        [...names]
          .filter(([used]) => name.test(used))
          .map(([used, line]) => `${path}:${line} ${used}`),
      )

  test('the patterns see what they look for', () => {
    for (const name of ['Date.now', 'new Date()', 'performance.now']) expect(name).toMatch(CLOCK)
    const seen = readSource('test/source.ts').names
    expect(seen.has('import.meta.dirname')).toBe(true)
    expect(seen.has('new Map()')).toBe(true)
  })

  test('clocks are read in adapters/clock only', () => {
    expect(users(CLOCK, /^(core|plugins|node-agent|adapters\/(?!clock\/))/)).toEqual([])
  })

  test('randomness comes from core/crypto.ts', () => {
    expect(users(/^(Math\.random|crypto\.getRandomValues)$/, /^(?!core\/crypto\.ts)/)).toEqual([])
  })

  test('no environment variable is read below the command', () => {
    expect(users(/^process\.env\b/, /^(core|plugins|node-agent|adapters)\//)).toEqual([])
  })

  test('plugins set no timers', () => {
    expect(users(/^set(Timeout|Interval|Immediate)$/, /^plugins\//)).toEqual([])
  })

  test('nothing is typed any, in tests neither', () => {
    const typed = files.filter((path) => path.endsWith('.ts')).map(readSource)
    expect(typed.filter(({ names }) => names.has('any')).map(({ path }) => path)).toEqual([])
  })
})

test('every adapter of a port with a law suite has a conformance test', () => {
  const suites = files.flatMap((path) => path.match(/^test\/conformance\/(\w+)\.ts$/)?.[1] ?? [])
  const ports = suites.filter((name) => PORTS.has(name) && name !== 'logstore')
  const adapters = new Set(
    files
      .filter((path) => ports.includes(path.split('/')[1] ?? '') && path.startsWith('adapters/'))
      .map((path) => path.split('/').slice(0, 3).join('/'))
      .filter((path) => !/\.\w+$/.test(path) && !ENGINES.test(path) && path !== SEALING),
  )
  const without = [...adapters].filter((path) => !files.includes(`${path}/conformance.test.ts`))
  expect(without).toEqual([])
})
