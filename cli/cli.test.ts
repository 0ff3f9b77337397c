import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../core/json.ts'
import { assay, type Ran } from '../test/command.ts'
import { ASSAY, Server as Assay } from '../test/server.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
let data: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-cli-'))
  data = join(dir, 'data')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

type Members = { readonly [name: string]: Json }

async function json(...args: string[]): Promise<{ code: number; value: Members }> {
  const { code, stderr, stdout } = await assay(...args, '--json')
  expect(stderr).toBe('')
  return { code, value: JSON.parse(stdout) }
}
const asks = (id: string): string =>
  JSON.stringify({
    subject: { type: 'user', id },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })

describe('usage', () => {
  it.each<[string, string[]]>([
    ['no verb', []],
    ['an unknown verb', ['sreve']],
    ['no verb of a group', ['policy']],
    ['an unknown option', ['serve', '--prot', '1']],
    ['a port that is none', ['serve', '--port', '65536']],
    ['a missing argument', ['receipt']],
    ['an id that is none', ['receipt', 'x']],
    ['a missing option', ['verify', 'r.json']],
    ['a scope that is none', ['key', 'create', 'logs', 'a']],
    ['a shell that is none', ['completion', 'tcsh']],
    ['options that exclude each other', ['fsck', '--data', 'd', '--url', 'u', '--trust', 't']],
    ['a file that is not there', ['verify', 'none.json', '--trust', 'none.json']],
    ['a configuration that is not there', ['decide', '--payload', '{}', '--config', 'none.yaml']],
  ])('%s is 2, in words and in JSON', async (_, args) => {
    const { code, stderr, stdout } = await assay(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).not.toBe('')
    const { code: again, value } = await json(...args)
    expect(again).toBe(2)
    expect(value).toEqual({ error: { code: expect.any(String), message: expect.any(String) } })
  })

  it('names a near spelling', async () => {
    expect((await assay('sreve')).stderr).toContain('serve')
    await writeFile(join(dir, 'a.yaml'), 'stor: {}\n')
    const { stderr } = await assay('decide', '--payload', '{}', '--config', join(dir, 'a.yaml'))
    expect(stderr).toContain('a.yaml:1:1')
    expect(stderr).toContain('"store"')
  })

  it('of help and version is 0', async () => {
    expect(await assay('--help')).toMatchObject({ code: 0, stderr: '' })
    expect(await assay('policy', 'test', '--help')).toMatchObject({ code: 0, stderr: '' })
    expect((await assay('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('decide, check, receipt, verify, fsck', () => {
  const trust = (): string => join(data, 'trust.json')

  it('go through from a request to its proof', { timeout: 120_000 }, async () => {
    const allowed = await json('decide', '--data', data, '--payload', asks('ada'))
    expect(allowed).toMatchObject({ code: 0, value: { allow: true, seal: 'sealed' } })
    await writeFile(join(dir, 'p.json'), asks('ben'))
    const denied = await json('decide', '--data', data, '--payload', join(dir, 'p.json'))
    expect(denied).toMatchObject({ code: 1, value: { allow: false } })
    const dry = await json('check', '--data', data, '--payload', asks('ada'))
    expect(dry).toMatchObject({ code: 0, value: { dry_run: true, allow: true } })
    expect(dry.value.id).toBeUndefined()

    const id = allowed.value.id as string
    const receipt = await assay('receipt', id, '--data', data)
    expect(receipt.code).toBe(0)
    const file = join(dir, 'receipt.json')
    await writeFile(file, receipt.stdout)
    const verified = await json('verify', file, '--trust', trust(), '--policies', 'policies')
    expect(verified).toMatchObject({ code: 0, value: { ok: true, leaf: { id, allow: true } } })
    const names = (verified.value.checks as unknown as Members[]).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['signature', 'inclusion', 'policy', 'again']))

    await writeFile(file, receipt.stdout.replace('\\"allow\\":true', '\\"allow\\":false'))
    expect(await json('verify', file, '--trust', trust())).toMatchObject({
      code: 1,
      value: { ok: false },
    })
    await writeFile(file, 'not a receipt')
    expect((await assay('verify', file, '--trust', trust())).code).toBe(1)

    const fsck = await json('fsck', '--data', data, '--trust', trust())
    expect(fsck).toMatchObject({ code: 0, value: { ok: true, problems: [] } })
    const other = { ...JSON.parse(await readFile(trust(), 'utf8')), origin: 'other' }
    await writeFile(file, JSON.stringify(other))
    expect((await assay('fsck', '--data', data, '--trust', file)).code).toBe(1)
    await writeFile(file, '{}')
    expect((await assay('fsck', '--data', data, '--trust', file)).code).toBe(2)
  })

  it('say when the policy is another', { timeout: 120_000 }, async () => {
    const { value } = await json('decide', '--data', data, '--payload', asks('ada'))
    const file = join(dir, 'receipt.json')
    await writeFile(file, (await assay('receipt', value.id as string, '--data', data)).stdout)
    const policies = join(dir, 'policies')
    await cp('policies', policies, { recursive: true })
    const rule = join(policies, 'access', 'abac.rego')
    const text = await readFile(rule, 'utf8')
    await writeFile(rule, text.replace('owner == rbac', 'owner != rbac'))
    const { code, value: report } = await json(
      'verify',
      file,
      '--trust',
      trust(),
      '--policies',
      policies,
    )
    expect(code).toBe(1)
    const failed = (report.checks as unknown as Members[]).filter(({ ok }) => ok === false)
    expect(failed.map(({ name }) => name)).toEqual(['policy', 'again'])
  })

  it('say what is not there', async () => {
    const none = await json('receipt', 'a'.repeat(32), '--data', data)
    expect(none.code).toBe(2)
    await mkdir(data)
    await writeFile(join(data, 'assay.db'), 'not a database at all')
    expect(await json('receipt', 'a'.repeat(32), '--data', data)).toMatchObject({
      code: 2,
      value: { error: { code: 'corrupt' } },
    })
  })
})

describe('policy', () => {
  const file = (): string => join(dir, 'p', 'a.rego')
  const write = async (text: string): Promise<void> => {
    await mkdir(join(dir, 'p'), { recursive: true })
    await writeFile(file(), text)
  }
  const policy = (verb: string, ...args: string[]): ReturnType<typeof json> =>
    json('policy', verb, join(dir, 'p'), ...args)

  it('build gives a digest, the same each time, and what runs', { timeout: 60_000 }, async () => {
    await write('package a\n\nallow := true\n')
    const options = ['--entrypoint', 'a/allow', '--output', join(dir, 'out')]
    const built = await policy('build', ...options)
    expect(built).toMatchObject({ code: 0, value: { digest: expect.stringMatching(/^sha256:/) } })
    expect((await policy('build', ...options)).value).toEqual(built.value)
    const wasm = await readFile(join(dir, 'out', 'policy.wasm'))
    expect(WebAssembly.validate(wasm)).toBe(true)
    await write('package a\n\nallow {\n')
    expect((await policy('build', ...options)).code).toBe(1)
  })

  it('check names file, row and column', { timeout: 60_000 }, async () => {
    await write('package a\n\nallow := time.now_ns()\n')
    const { code, value } = await policy('check')
    expect(code).toBe(1)
    expect(value.problems).toEqual([expect.objectContaining({ file: 'a.rego', row: 3 })])
    expect((await assay('policy', 'check', join(dir, 'p'))).stdout).toMatch(/a\.rego:3:\d+: /)
    expect((await policy('check', '--capabilities', 'compat')).code).toBe(0)
    await write('package a\n\nallow := http.send({})\n')
    expect((await policy('check', '--capabilities', 'compat')).code).toBe(1)
    await write('package a\n\nallow if input.a\n')
    expect(await policy('check')).toMatchObject({ code: 0, value: { problems: [] } })
  })

  it('check sees a misspelt fact', { timeout: 60_000 }, async () => {
    await mkdir(join(dir, 'p', 'access'), { recursive: true })
    await writeFile(
      join(dir, 'p', 'access', 'a.rego'),
      'package assay.access\n\nallow if input.facts.subjekt.found\n',
    )
    expect(await policy('check')).toMatchObject({
      code: 1,
      value: { problems: [expect.objectContaining({ file: 'access/a.rego', row: 3 })] },
    })
  })

  it('test fails with a test, below the threshold, and without tests', {
    timeout: 60_000,
  }, async () => {
    await write('package a\n\nallow if input.a\n\nallow if input.b\n')
    expect((await policy('test')).code).toBe(1)
    const tests = (outcome: string): string =>
      `package a_test\n\nimport data.a\n\ntest_a if a.allow with input as {"a": ${outcome}}\n`
    await writeFile(join(dir, 'p', 'a_test.rego'), tests('true'))
    expect((await policy('test')).code).toBe(0)
    expect((await policy('test', '--run', 'nothing')).code).toBe(1)
    expect(await policy('test', '--threshold', '100')).toMatchObject({
      code: 1,
      value: { coverage: { files: expect.anything() } },
    })
    expect((await policy('test', '--threshold', '50')).code).toBe(0)
    await writeFile(join(dir, 'p', 'a_test.rego'), tests('false'))
    expect((await policy('test')).code).toBe(1)
  })

  it('fmt lists, checks, and writes', { timeout: 60_000 }, async () => {
    await write('package a\nallow   := true\n')
    expect(await policy('fmt')).toMatchObject({ code: 0, value: { files: [expect.any(String)] } })
    expect((await policy('fmt', '--check')).code).toBe(1)
    expect(await readFile(file(), 'utf8')).toContain('allow   :=')
    expect((await policy('fmt', '--write')).code).toBe(0)
    expect(await readFile(file(), 'utf8')).toContain('allow :=')
    expect(await policy('fmt', '--check')).toMatchObject({ code: 0, value: { files: [] } })
  })
})

describe('key', () => {
  const key = (...args: string[]): ReturnType<typeof json> => json('key', ...args, '--data', data)

  it('leads a key through its states, and two versions past each other', async () => {
    expect((await key('create', 'witness', 'w')).value).toMatchObject({
      version: 1,
      state: 'pre-active',
    })
    expect((await key('activate', 'witness', 'w')).value).toMatchObject({ state: 'active' })
    const second = await key('create', 'witness', 'w')
    expect(second.value).toMatchObject({ version: 2 })
    await key('activate', 'witness', 'w')
    expect((await key('list', 'witness')).value.keys).toMatchObject([
      { version: 1, state: 'grace' },
      { version: 2, state: 'active' },
    ])
    expect((await key('retire', 'witness', 'w', '1')).value).toMatchObject({ state: 'retired' })
    expect((await key('retire', 'witness', 'w')).value).toMatchObject({
      version: 2,
      state: 'grace',
    })
    expect((await key('revoke', 'witness', 'w', '2')).value).toMatchObject({ state: 'revoked' })
    const { stdout } = await assay('key', 'export', 'witness', 'w', '--data', data)
    expect(stdout.trim()).toBe(second.value.publicKey)
  })

  it('refuses what leads back, and what is not there', async () => {
    await key('create', 'witness', 'w')
    await key('revoke', 'witness', 'w')
    const back = await key('activate', 'witness', 'w')
    expect(back).toMatchObject({ code: 2, value: { error: { code: 'invalid_transition' } } })
    expect((await key('activate', 'witness', 'x')).code).toBe(2)
    expect((await key('export', 'witness', 'w', '7')).code).toBe(2)
  })
})

describe('init', () => {
  it('writes a folder that serves, and nothing over anything', { timeout: 60_000 }, async () => {
    const folder = join(dir, 'starter')
    expect(await json('init', folder)).toMatchObject({ code: 0 })
    const config = ['--config', join(folder, 'assay.yaml')]
    expect(await json('check', ...config, '--payload', asks('ada'))).toMatchObject({
      code: 0,
      value: { allow: true },
    })
    await writeFile(join(folder, 'README.md'), 'mine')
    expect(await json('init', folder)).toMatchObject({ code: 2 })
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('mine')
  })
})

describe('completion', () => {
  const shell = promisify(execFile)
  it('is a script that bash reads, and it offers what the tree has', async () => {
    const script = join(dir, 'assay.bash')
    await writeFile(script, (await assay('completion', 'bash')).stdout)
    await shell('bash', ['-n', script])
    const offered = async (...words: string[]): Promise<string[]> => {
      const typed = words.map((word) => `'${word}'`).join(' ')
      const code = `source '${script}'; COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _assay; echo "\${COMPREPLY[@]}"`
      return (await shell('bash', ['-c', code])).stdout.trim().split(' ')
    }
    expect(await offered('assay', 'se')).toEqual(['serve', 'secret'])
    expect(await offered('assay', 'policy', '')).toEqual(expect.arrayContaining(['build', 'fmt']))
    expect(await offered('assay', '--json', 'key', 'create', 'wit')).toEqual(['witness'])
    expect(await offered('assay', 'policy', 'check', '--capabilities', 'tr')).toEqual(['trust'])
    expect(await offered('assay', 'serve', '--po')).toEqual(['--port'])
  })

  it.each(['zsh', 'fish'])('for %s names every verb', async (name) => {
    const { stdout } = await assay('completion', name)
    for (const verb of ['serve', 'decide', 'policy fmt', 'key revoke', 'completion'])
      expect(stdout).toContain(verb)
  })
})

describe('bin/assay', () => {
  const started: ChildProcess[] = []
  const serving: Assay[] = []
  let taken: Server
  let port: number
  beforeAll(async () => {
    taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    port = (taken.address() as { port: number }).port
  })
  afterAll(() => taken.close())
  afterEach(async () => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
    for (const server of serving.splice(0)) await server.stop('SIGKILL')
  })
  function spawned(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.push(child)
    const text = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (part) => (text.stdout += part))
    child.stderr.setEncoding('utf8').on('data', (part) => (text.stderr += part))
    return new Promise((resolve) =>
      child.on('close', (code) => resolve({ code: code ?? -1, ...text })),
    )
  }
  async function serve(
    options: Partial<ConstructorParameters<typeof Assay>[0]> = {},
  ): Promise<Assay> {
    const server = new Assay({ data, ...options })
    serving.push(server)
    await server.ready
    return server
  }

  it('is found through links, from anywhere', async () => {
    await symlink(ASSAY, join(dir, 'one'))
    await symlink('one', join(dir, 'two'))
    expect(await spawned(join(dir, 'two'), ['--version'])).toMatchObject({ code: 0, stderr: '' })
  })

  it('says so when there is no Node that is new enough', async () => {
    const copy = join(dir, 'copy')
    await mkdir(join(copy, 'bin'), { recursive: true })
    await mkdir(join(dir, 'path'))
    await cp(ASSAY, join(copy, 'bin', 'assay'))
    const node = join(dir, 'path', 'node')
    const env = { PATH: `${join(dir, 'path')}:/usr/bin:/bin` }
    await writeFile(node, '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 })
    const old = await spawned(join(copy, 'bin', 'assay'), ['--version'], env)
    expect(old).toMatchObject({ code: 2, stdout: '' })
    expect(old.stderr).toContain('v20.20.2')
    await writeFile(node, '#!/bin/sh\nexit 1\n')
    expect(await spawned(join(copy, 'bin', 'assay'), [], env)).toMatchObject({ code: 2 })
    await writeFile(node, '#!/bin/sh\necho v24.0.0\n')
    const empty = await spawned(join(copy, 'bin', 'assay'), [], env)
    expect(empty).toMatchObject({ code: 2 })
    expect(empty.stderr).toContain('npm run build')
  })

  it('serves, prints what to paste, and ends cleanly at SIGTERM', { timeout: 60_000 }, async () => {
    const server = await serve()
    const url = await server.ready
    expect(server.output).toMatch(/^assay listening on http:\/\/127\.0\.0\.1:\d+\n/)
    const curl = server.output.match(/^ {2}curl [\s\S]*?[^\\]$/m)?.[0] ?? ''
    const answer = await spawned('sh', ['-c', curl])
    expect(answer.stdout).toContain('{"decision":true}')
    const id = answer.stdout.match(/^x-decision-id: ([0-9a-f]{32})/im)?.[1] ?? ''
    const running = await spawned(ASSAY, ['receipt', id, '--data', data])
    expect(running).toMatchObject({ code: 0, stderr: '' })
    const locked = await spawned(ASSAY, ['decide', '--data', data, '--payload', '{}', '--json'])
    expect(locked.code).toBe(2)
    expect(JSON.parse(locked.stdout)).toMatchObject({ error: { code: 'locked' } })
    const trust = ['--trust', join(data, 'trust.json')]
    expect(await spawned(ASSAY, ['fsck', '--url', url, ...trust])).toMatchObject({ code: 0 })
    expect(await spawned(ASSAY, ['fsck', '--data', data, ...trust])).toMatchObject({ code: 0 })
    expect(await server.stop('SIGTERM')).toBe(0)
    expect(await spawned(ASSAY, ['receipt', id, '--data', data])).toMatchObject({ code: 0 })
    expect(await spawned(ASSAY, ['fsck', '--url', url, ...trust])).toMatchObject({ code: 2 })
  })

  it('goes on after kill -9', { timeout: 60_000 }, async () => {
    const server = await serve()
    const url = await server.ready
    const response = await fetch(`${url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Assay-Seal': 'durable' },
      body: asks('ada'),
    })
    const id = response.headers.get('x-decision-id') ?? ''
    await server.stop('SIGKILL')
    const receipt = join(dir, 'receipt.json')
    const printed = await spawned(ASSAY, ['receipt', id, '--data', data])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    await writeFile(receipt, printed.stdout)
    const trust = join(data, 'trust.json')
    expect(await spawned(ASSAY, ['verify', receipt, '--trust', trust])).toMatchObject({ code: 0 })
    expect(await (await serve()).stop('SIGINT')).toBe(0)
  })

  it.each<[string, string, string]>([
    ['a port in use', 'address_in_use', ''],
    ['a configuration with a typo', 'invalid_config', 'htp: {}'],
    ['a database that is none', 'corrupt', ''],
  ])('says in one line: %s', { timeout: 60_000 }, async (what, code, text) => {
    const config = join(dir, 'assay.yaml')
    await writeFile(config, text)
    if (code === 'corrupt') {
      await mkdir(data)
      await writeFile(join(data, 'assay.db'), 'x'.repeat(5000))
    }
    const args = ['serve', '--data', data, '--config', config, '--port', `${port}`]
    const { code: exit, stderr, stdout } = await spawned(ASSAY, args)
    expect([exit, stdout], what).toEqual([2, ''])
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(code)
  })

  it('says in one line that another process has the data folder', { timeout: 60_000 }, async () => {
    await serve()
    const { code, stderr } = await spawned(ASSAY, ['serve', '--data', data, '--port', '0'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^assay: .*locked.*\n$/)
  })

  it('ends with 70 when a plugin blocks the process', { timeout: 60_000 }, async () => {
    const config = join(dir, 'assay.yaml')
    await mkdir(join(dir, 'policies'))
    await writeFile(
      join(dir, 'policies', 'stuck.rego'),
      'package assay.stuck\n\ndecision := {"allow": false, "reasons": [{"code": "no", "message": "", "rule": "no"}], "effects": [], "obligations": []}\n',
    )
    await writeFile(
      join(dir, 'stuck.mjs'),
      `export default { plugin: {
        name: 'stuck', actions: ['stuck.ask'], schema: {},
        async facts() { for (;;) {} },
      } }`,
    )
    await writeFile(config, 'plugins: [./stuck.mjs]\npolicies: ./policies\nwatchdogSeconds: 1\n')
    const server = await serve({ config })
    const asked = fetch(`${await server.ready}/assay/v1/decisions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"action":"stuck.ask","payload":{}}',
    })
    await expect(asked).rejects.toThrow()
    expect(await server.ended).toBe(70)
  })

  it('tells what happens as lines of JSON', { timeout: 60_000 }, async () => {
    const child = spawn(ASSAY, ['serve', '--data', data, '--port', '0', '--json'])
    started.push(child)
    const first = await new Promise<string>((resolve) => {
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (part) => {
        text += part
        if (text.includes('\n')) resolve(text)
      })
    })
    expect(JSON.parse(first)).toMatchObject({
      event: 'listening',
      url: expect.stringMatching(/^http:/),
      trust: join(data, 'trust.json'),
    })
  })

  it('writes no colour and no progress to what is no terminal', async () => {
    const { stderr, stdout } = await spawned(ASSAY, ['key', 'list', '--data', data, '--bad'])
    expect(stdout + stderr).not.toContain('\u001b')
  })
})
