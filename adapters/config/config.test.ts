import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import type { Config } from './complete.ts'
import { loadConfig, parseConfig } from './load.ts'
import { BUILT_IN, configSchemaText } from './schema.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-config-'))
})
afterAll(() => rm(dir, { recursive: true }))

async function load(text: string, name = 'assay.yaml', data?: string): Promise<Config> {
  const file = join(dir, name)
  await writeFile(file, text)
  return loadConfig({ file, ...(data === undefined ? {} : { data }) })
}

function refused(text: string, file = 'assay.yaml'): ConfigError {
  try {
    parseConfig(text, file)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

describe('a configuration file', () => {
  it('may leave out everything', async () => {
    const config = await loadConfig({ data: join(dir, 'd') })
    expect(config).toMatchObject({
      data: join(dir, 'd'),
      store: { kind: 'sqlite', path: join(dir, 'd', 'assay.db'), integrity: 'quick' },
      custody: { kind: 'file', dir: join(dir, 'd', 'keys') },
      engine: { kind: 'jit', isolation: 'none' },
      compiler: { kind: 'opa' },
      policies: { source: 'folder', watch: true, capabilities: 'trust' },
      plugins: BUILT_IN.plugins.map((name) => ({ name, isolation: 'none' })),
      cells: { 'cell-local': { driver: 'none', resources: ['gpu-0'] } },
      controller: 'own',
      tenants: { demo: 'own' },
      peers: {},
      pullMs: 2000,
      audit: { sweepMinutes: 60, explain: false },
      http: { host: '127.0.0.1', port: 8180 },
      seal: 'sealed',
      watchdogSeconds: 30,
    })
    expect(await load('')).toMatchObject({ data: join(process.cwd(), '.assay') })
    expect(await load('# nothing but a comment\n')).toMatchObject({ seal: 'sealed' })
  })

  it('names cells, and takes none for granted', async () => {
    const { cells, datagrams, peers, tenants } = await load('')
    expect([cells, datagrams, peers, tenants]).toEqual([{}, undefined, {}, {}])
    const key = 'kYQOH7VVOGuGd3xUmSIcq7uURTLBjSeMJLb5v3Hs1lM='
    const config = await load(`
cells:
  cell-a: { resources: [gpu-0], driver: { url: "http://127.0.0.1:9000", tokenFile: driver.token } }
controller: ${key}
tenants: { acme: ${key} }
peers: { cell-b: { key: ${key}, url: "https://b.example:8180", tokenFile: b.token, caFile: ca.pem } }
datagrams: { port: 8181 }
pullMs: 500
`)
    const [driver, token, ca] = ['driver.token', 'b.token', 'ca.pem'].map((name) => join(dir, name))
    expect(config).toMatchObject({
      cells: {
        'cell-a': {
          resources: ['gpu-0'],
          driver: { url: 'http://127.0.0.1:9000', timeoutMs: 10_000, tokenFile: driver },
        },
      },
      controller: key,
      tenants: { acme: key },
      peers: { 'cell-b': { key, url: 'https://b.example:8180', tokenFile: token, caFile: ca } },
      datagrams: { host: '127.0.0.1', port: 8181 },
      pullMs: 500,
    })
  })

  it.each([
    'cells: { cell-a: {} }',
    'cells: { cell-a: { driver: some } }',
    'cells: { cell-a: { driver: { url: "ftp://x" } } }',
    'cells: { cell-a: { driver: none, resource: gpu-0 } }',
    'cells: { Cell: { driver: none } }',
    'controller: mine',
    'tenants: { acme: AAAA }',
    'peers: { cell-b: { url: "http://b.example" } }',
    'pullMs: 9000',
  ])('refuses cells that cannot be: %s', (text) => {
    expect(refused(text).code).toBe('invalid_config')
  })

  it('keeps a cell here or with a peer, not both', async () => {
    const key = 'kYQOH7VVOGuGd3xUmSIcq7uURTLBjSeMJLb5v3Hs1lM='
    const peers = `peers: { cell-b: { key: ${key}, url: "http://b.example" } }`
    await expect(load(`cells: { cell-b: { driver: none } }\n${peers}`)).rejects.toMatchObject({
      code: 'invalid_config',
    })
  })

  it('finds the policies of a shadow where it lies itself', async () => {
    const { policies } = await load('policies: { source: folder, dir: a, shadow: b }\n')
    expect(policies).toMatchObject({ dir: join(dir, 'a'), shadow: join(dir, 'b') })
    expect((await load('policies: a\n')).policies).not.toHaveProperty('shadow')
  })

  it('says what the server tells of itself, and to whom its decisions go', async () => {
    expect((await load('')).operations).toEqual({ telemetry: { traces: true }, exports: [] })
    const { operations } = await load(`
telemetry: { metrics: false }
log: { level: debug }
export:
  - { kind: opa-logs, url: "https://logs.example.com", mask: ./mask, bearerTokenFile: token }
  - { kind: otlp, name: second, url: "http://127.0.0.1:4318/v1/logs", openings: [payload, facts.a] }
`)
    const batch = { maxEvents: 256, delayMs: 1000, timeoutMs: 10_000 }
    const nothing = { headers: {}, labels: {}, openings: [], batch }
    expect(operations).toEqual({
      telemetry: { metrics: false, traces: true },
      log: { level: 'debug', format: 'json', requests: true },
      exports: [
        {
          ...nothing,
          kind: 'opa-logs',
          name: 'opa-logs',
          url: 'https://logs.example.com',
          mask: join(dir, 'mask'),
          bearerTokenFile: join(dir, 'token'),
        },
        {
          ...nothing,
          kind: 'otlp',
          name: 'second',
          url: 'http://127.0.0.1:4318/v1/logs',
          openings: ['payload', 'facts.a'],
        },
      ],
    })
  })

  for (const [what, text] of [
    ['a receiver that is no http URL', 'export: [{ kind: otlp, url: "file:///etc/passwd" }]'],
    ['an exporter without a receiver', 'export: [{ kind: otlp }]'],
    ['a kind that does not exist', 'export: [{ kind: syslog, url: "https://a.example" }]'],
    [
      'two exporters that would share a place',
      'export: [{ kind: otlp, url: "https://a.example" }, { kind: otlp, url: "https://b.example" }]',
    ],
    [
      'an opening that does not exist',
      'export: [{ kind: otlp, url: "https://a.example", openings: [secrets] }]',
    ],
    [
      'a name that leads out of the folder',
      'export: [{ kind: otlp, url: "https://a.example", name: ../x }]',
    ],
    ['a level that does not exist', 'log: { level: trace }'],
  ] as const)
    it(`refuses ${what}`, () => expect(refused(text).code).toBe('invalid_config'))

  it('has paths that are relative to itself, and --data wins', async () => {
    const text = `
data: state
store: { kind: sqlite, path: db/log.db }
policies: ./policies
plugins: [access, ./plugins/mine.js, "@acme/tpm"]
state: seed.json
`
    const config = await load(text)
    expect(config).toMatchObject({
      data: join(dir, 'state'),
      store: { path: join(dir, 'db/log.db') },
      custody: { dir: join(dir, 'state/keys') },
      policies: { dir: join(dir, 'policies') },
      state: join(dir, 'seed.json'),
    })
    expect(config.plugins.map(({ name }) => name)).toEqual([
      'access',
      join(dir, 'plugins/mine.js'),
      '@acme/tpm',
    ])
    expect((await load(text, 'assay.yaml', join(dir, 'other'))).data).toBe(join(dir, 'other'))
  })

  it('is the same in YAML and in JSON', async () => {
    const json = '{"store": {"kind": "memory"},\n\t"http": {"port": 0}}'
    const yaml = 'store:\n  kind: memory\nhttp:\n  port: 0\n'
    const [a, b] = [await load(json, 'a.json'), await load(yaml, 'b.yaml')]
    expect({ ...a, file: '' }).toEqual({ ...b, file: '' })
  })

  it('names an engine, in this thread or in a worker, and how many steps it may take', async () => {
    const engine = async (text: string) => (await load(`engine: ${text}`)).engine
    for (const kind of ['jit', 'wasm', 'both'] as const)
      expect(await engine(`{ kind: ${kind} }`)).toMatchObject({ kind, isolation: 'none' })
    expect(
      await engine('{ kind: both, isolation: worker, deadlineMs: 100, maxSteps: 5000 }'),
    ).toEqual({ kind: 'both', isolation: 'worker', deadlineMs: 100, maxSteps: 5000 })
    for (const bad of ['{ kind: jit, maxSteps: 0 }', '{ kind: both, threads: 2 }', '{ kind: }'])
      await expect(engine(bad)).rejects.toMatchObject({ code: 'invalid_config' })
  })

  it('names third-party adapters by package or by path', async () => {
    const config = await load(
      'store: { kind: "@acme/pg", options: { url: x } }\nengine: { kind: ./e.js }',
    )
    expect(config.store).toEqual({ kind: 'foreign', specifier: '@acme/pg', options: { url: 'x' } })
    expect(config.engine).toEqual({ kind: 'foreign', specifier: join(dir, 'e.js'), options: {} })
  })
})

describe('forward authentication', () => {
  it('is read whole', async () => {
    const forwardAuth = {
      proxy: 'traefik',
      path: '/proxy/authorize',
      hosts: ['app.example.com'],
      subject: { header: 'X-Auth-User', type: 'person', from: ['spiffe://lab/envoy'] },
      routes: [
        {
          methods: ['GET'],
          host: 'app.example.com',
          path: '/files/{rest*}',
          action: 'read',
          resource: { type: 'file', id: '{rest}' },
        },
      ],
      claims: { headers: ['X-Purpose'], query: ['team'] },
      upstreamHeader: 'X-Assay-Subject',
    }
    const { http } = await load(JSON.stringify({ http: { forwardAuth } }), 'assay.json')
    expect(http.forwardAuth).toEqual(forwardAuth)
  })

  it.each([
    'http: { forwardAuth: {} }',
    'http: { forwardAuth: { proxy: apache } }',
    'http: { forwardAuth: { proxy: envoy, subject: x-user } }',
    'http: { forwardAuth: { proxy: envoy, subject: { header: "x user" } } }',
    'http: { forwardAuth: { proxy: envoy, path: authorize } }',
    'http: { forwardAuth: { proxy: envoy, routes: [{ path: / }] } }',
    'http: { forwardAuth: { proxy: envoy, trustForwardedHeaders: true } }',
  ])('refuses %s', (text) => {
    expect(refused(text).code).toBe('invalid_config')
  })
})

describe('OPA policies', () => {
  it('are a bundle or a folder, relative to the file', async () => {
    const bundle = await load('opa: { bundle: p.tar.gz, entrypoints: [app/allow] }')
    const path = join(dir, 'p.tar.gz')
    expect(bundle.opa).toEqual({ kind: 'bundle', path, entrypoints: ['app/allow'] })
    const folder = await load('opa: { dir: policies }')
    expect(folder.opa).toEqual({ kind: 'dir', path: join(dir, 'policies'), entrypoints: [] })
    expect((await load('data: d')).opa).toBeUndefined()
  })

  it.each([
    'opa: {}',
    'opa: { bundle: a, dir: b }',
    'opa: { dir: "" }',
    'opa: { dir: a, entrypoints: [/app/allow] }',
    'opa: { dir: a, entrypoints: [app//allow] }',
    'opa: { dir: a, keys: [] }',
  ])('refuse %s', (text) => {
    expect(refused(text).code).toBe('invalid_config')
  })
})

describe('a refusal names the line, the member and a near spelling', () => {
  const deep = '['.repeat(40) + ']'.repeat(40)
  it.each<[string, string, [line: number, col: number], RegExp?]>([
    ['an unknown member', 'data: x\nstor:\n  kind: memory\n', [2, 1], /"store"/],
    ['a nested unknown member', 'http:\n  host: localhost\n  prot: 1\n', [3, 3], /"port"/],
    ['an unknown member of an adapter', 'store:\n  kind: sqlite\n  pth: x\n', [3, 3], /"path"/],
    ['a misspelt adapter', 'store:\n  kind: sqllite\n  path: x\n', [3, 3], /"sqlite"/],
    ['a member of another kind', 'store:\n  kind: memory\n  path: x\n', [3, 3]],
    ['a duplicate key', 'seal: sealed\nhttp: {}\nseal: durable\n', [3, 1]],
    ['a duplicate nested key', 'http:\n  port: 1\n  port: 2\n', [3, 3]],
    ['a wrong type', 'http:\n  port: "8180"\n', [2, 9]],
    [
      'a boolean that YAML 1.2 does not know',
      'policies: { source: folder, dir: x, watch: yes }',
      [1, 44],
    ],
    ['a wrong type in a list', 'plugins:\n  - access\n  - 3\n', [3, 5]],
    ['a wrong type of a list', 'plugins: access\n', [1, 10]],
    ['a missing member', 'policies:\n  source: folder\n', [2, 3]],
    ['a number out of range', 'http: { port: 65536 }', [1, 15]],
    ['a fraction', 'http: { port: 1.5 }', [1, 15]],
    ['not a number', 'http: { port: .nan }', [1, 15]],
    ['a huge number', 'http: { port: 123456789012345678901 }', [1, 15]],
    ['a wrong word', 'seal: seald\n', [1, 7]],
    ['an empty path', 'data: ""\n', [1, 7]],
    [
      'an unknown member of what has a name of its own',
      'cells: { cell-a: { driver: none, resource: [gpu-0] } }',
      [1, 34],
      /"resources"/,
    ],
    ['a name of another form', 'cells: { Cell: { driver: none } }', [1, 16], /a-z0-9/],
    ['a key of another form', 'tenants: { acme: AAAA }', [1, 18], /43/],
    [
      'a URL of another form',
      'cells: { cell-a: { driver: { url: "ftp://x" } } }',
      [1, 35],
      /config\.schema/,
    ],
    ['an origin with a space', 'origin: a b\n', [1, 9]],
    ['a list for a file', '- access\n', [1, 1]],
    ['a string for a file', 'access\n', [1, 1]],
    ['an alias', 'data: &d x\nstate: *d\n', [1, 10]],
    ['an unresolved alias', 'data: *d\n', [1, 7]],
    ['a tag', 'data: !!binary aGk=\n', [1, 16]],
    ['a tag of its own', 'data: !env HOME\n', [1, 7]],
    ['a directive', '%YAML 1.1\n---\nseal: sealed\n', [1, 1]],
    ['a second document', 'seal: sealed\n---\nseal: sealed\n', [2, 1]],
    ['a merge key', '<<: { seal: sealed }\n', [1, 1]],
    ['a key that is no string', '1: x\n', [1, 1]],
    ['an open bracket', 'plugins: [access\n', [2, 1]],
    ['a tab for indentation', 'http:\n\tport: 1\n', [2, 1]],
    ['deep nesting', `state: ${deep}`, [1, 40]],
    ['a prototype', '__proto__: { seal: sealed }\n', [1, 1]],
    ['a lone surrogate', 'data: "\\ud800"\n', [1, 7]],
  ])('%s', (_, text, [line, col], hint) => {
    const error = refused(text)
    expect(error.code).toBe('invalid_config')
    expect(error.problems[0]).toMatchObject({ file: 'assay.yaml', line, col })
    if (hint !== undefined) expect(error.problems[0]!.message).toMatch(hint)
  })

  it('all problems at once', () => {
    expect(
      refused('stor: 1\nhttp:\n  prot: 1\nseal: 3\n').problems.map(({ line }) => line),
    ).toEqual(expect.arrayContaining([1, 3, 4]))
  })

  it.each([
    ['a comment', '{ } # no'],
    ['an unquoted member', '{ seal: "sealed" }'],
    ['nothing', ''],
  ])('JSON with %s', (_, text) => {
    expect(refused(text, 'assay.json').code).toBe('invalid_config')
  })

  it('a bomb of aliases, in no time', () => {
    const level = (i: number): string =>
      `l${i}: &l${i} [${Array(9)
        .fill(`*l${i - 1}`)
        .join(',')}]\n`
    const bomb = `l0: &l0 [x]\n${Array.from({ length: 30 }, (_, i) => level(i + 1)).join('')}`
    expect(refused(bomb).code).toBe('invalid_config')
  })

  it('nesting deeper than a stack', () => {
    expect(refused(`state: ${'['.repeat(100_000)}`).code).toBe('invalid_config')
  })

  it('a file that is not there, not text, or a folder', async () => {
    await expect(loadConfig({ file: join(dir, 'none.yaml') })).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(loadConfig({ file: dir })).rejects.toMatchObject({ code: 'not_found' })
    await writeFile(join(dir, 'latin1.yaml'), Uint8Array.of(0x61, 0x3a, 0x20, 0xe9))
    await expect(loadConfig({ file: join(dir, 'latin1.yaml') })).rejects.toMatchObject({
      code: 'invalid_config',
    })
  })

  it('whatever the text', () => {
    const fragment = fc.constantFrom(
      'store',
      'http',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      '&a',
      '*a',
      '!!',
      '%',
      '#',
      '|',
      '>',
      '\t',
      '1e999',
      '\u0000',
      '? ',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, fc.string())), (parts) => {
        try {
          parseConfig(parts.join(''), 'assay.yaml')
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('docs/config.schema.json', () => {
  const published = new URL('../../docs/config.schema.json', import.meta.url)
  it('is what the generator writes', async () => {
    const compact = (text: string): string => JSON.stringify(JSON.parse(text))
    expect(compact(await readFile(published, 'utf8'))).toBe(compact(configSchemaText()))
  })

  it('agrees with the checker', async () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      JSON.parse(await readFile(published, 'utf8')),
    )
    expect(validate({ store: { kind: 'sqlite' }, plugins: ['access'] })).toBe(true)
    expect(validate({ store: { kind: 'sqlite', pth: 'x' } })).toBe(false)
    expect(validate({ http: { port: 65_536 } })).toBe(false)
    expect(validate({ prot: 1 })).toBe(false)
  })
})
