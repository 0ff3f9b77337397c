import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { Payload, type Request } from '../../core/request.ts'
import { bundle as compiled } from '../../test/rego.ts'
import { type IsolatedEngine, type IsolatedPlugin, isolateEngine, isolatePlugin } from './worker.ts'

/** A plugin that does what its payload says. */
const PLUGIN = `
export default { plugin: {
  name: 'odd', actions: ['odd.do'], schema: {}, lists: ['l/'],
  effects: {},
  async facts(request, read, now, signal) {
    const { do: what, sort } = request.payload.json()
    if (what === 'loop') for (;;) {}
    if (what === 'hang') await new Promise(() => {})
    if (what === 'throw') throw Object.assign(new Error('no'), { code: 'own_code' })
    if (what === 'exit') process.exit(3)
    if (what === 'heap') { const all = []; for (;;) all.push(new Array(1e6).fill(1.5)) }
    if (what === 'function') return { f: () => 1 }
    if (what === 'env') return { env: Object.keys(process.env) }
    if (what === 'abort') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return {}
    }
    return {
      action: request.action, bytes: request.payload.bytes.length, peer: request.peer, now,
      obligations: request.obligations,
      record: await read.get(sort), listed: await read.listGuarded('l/'), stale: await read.snapshot(sort, 5),
      foreign: await read.getFrom('other', sort),
      past: await read.decided('d'),
    }
  },
} }`
const ENGINE = `
let count = 0
export const create = () => ({ name: 'odd', async load(bundle) {
  if (bundle.digest === 'bad') throw Object.assign(new Error('bad'), { code: 'invalid_bundle' })
  return {
    digest: bundle.digest, revision: bundle.revision, entrypoints: bundle.entrypoints,
    evaluate(entrypoint, input) {
      if (entrypoint === 'loop') for (;;) {}
      if (entrypoint === 'throw') throw new Error('no')
      if (entrypoint === 'nothing') return undefined
      return { digest: bundle.digest, value: input.value, count: ++count }
    },
    async close() {},
  }
} })`

let dir: string
let plugin: IsolatedPlugin
let engine: IsolatedEngine
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-isolation-'))
  await writeFile(join(dir, 'plugin.mjs'), PLUGIN)
  await writeFile(join(dir, 'engine.mjs'), ENGINE)
  plugin = await isolatePlugin(url('plugin.mjs'), { deadlineMs: 2000, maxHeapMiB: 64 })
  engine = await isolateEngine(url('engine.mjs'), { deadlineMs: 2000, exportName: 'create' })
})
afterAll(async () => {
  await plugin.close()
  await engine.close()
  await rm(dir, { recursive: true })
})

const url = (name: string): URL => pathToFileURL(join(dir, name))
const request = (body: Json): Request => ({
  action: 'odd.do',
  payload: Payload.fromJson(body),
  peer: { kind: 'operator', id: 'me' },
  obligations: ['log'],
})
const read: ReadPorts = {
  get: async (sort) => (sort === 'broken' ? Promise.reject(new Error('store is gone')) : { sort }),
  getFrom: async (other, sort) => `${other}/${sort}`,
  listGuarded: async (prefix) => [{ sort: `${prefix}1`, value: 1 }],
  snapshot: async (sort) => ({ value: sort, revision: 'r' }),
  decided: async (id) => ({ action: 'odd.do', peer: { kind: 'k', id }, payload: '{}' }),
}
const facts = (body: Json, signal = new AbortController().signal): Promise<object> =>
  plugin.facts(request(body), read, 7, signal)

describe('a plugin in a worker', () => {
  it('is the plugin of its module', () => {
    expect(plugin).toMatchObject({ name: 'odd', actions: ['odd.do'], lists: ['l/'] })
  })

  it('gets the request and reads through the ports of the request', async () => {
    expect(await facts({ do: 'read', sort: 's' })).toEqual({
      action: 'odd.do',
      bytes: '{"do":"read","sort":"s"}'.length,
      peer: { kind: 'operator', id: 'me' },
      now: 7,
      obligations: ['log'],
      record: { sort: 's' },
      listed: [{ sort: 'l/1', value: 1 }],
      stale: { value: 's', revision: 'r' },
      past: { action: 'odd.do', peer: { kind: 'k', id: 'd' }, payload: '{}' },
      foreign: 'other/s',
    })
  })

  it('sees a read that fails as a failure', async () => {
    await expect(facts({ do: 'read', sort: 'broken' })).rejects.toMatchObject({ code: 'failed' })
  })

  it('that loops is ended at its deadline, and the next call works', async () => {
    const start = performance.now()
    await expect(facts({ do: 'loop' })).rejects.toMatchObject({ code: 'timeout' })
    expect(performance.now() - start).toBeLessThan(4000)
    expect(await facts({ do: 'read', sort: 's' })).toMatchObject({ now: 7 })
  })

  it('that loops does not take the calls beside it along', async () => {
    const loop = facts({ do: 'loop' })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const beside = [facts({ do: 'read', sort: 'a' }), facts({ do: 'read', sort: 'b' })]
    await expect(loop).rejects.toMatchObject({ code: 'timeout' })
    expect(await Promise.all(beside)).toMatchObject([
      { record: { sort: 'a' } },
      { record: { sort: 'b' } },
    ])
  })

  it.each([
    ['hang', 'timeout'],
    ['throw', 'failed'],
    ['exit', 'crashed'],
    // The crash is tried again once, which may take longer than the deadline.
    ['heap', expect.stringMatching(/^(crashed|timeout)$/)],
    ['function', 'failed'],
  ])('that does %s is %s, and the next call works', async (what, code) => {
    await expect(facts({ do: what })).rejects.toMatchObject({ code })
    expect(await facts({ do: 'read', sort: 's' })).toMatchObject({ now: 7 })
  })

  it('keeps the code of what was thrown', async () => {
    await expect(facts({ do: 'throw' })).rejects.toMatchObject({ inner: 'own_code' })
  })

  it('sees no environment', async () => {
    expect(await facts({ do: 'env' })).toEqual({ env: [] })
  })

  it('is told when the caller gives up, who is free at once', async () => {
    const controller = new AbortController()
    const waiting = facts({ do: 'abort' }, controller.signal)
    setTimeout(() => controller.abort(), 100)
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(facts({ do: 'read' }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'aborted',
    })
    // It stopped, so its worker outlives the deadline of the call that was given up.
    await new Promise((resolve) => setTimeout(resolve, 2200))
    expect(await facts({ do: 'read', sort: 's' })).toMatchObject({ now: 7 })
  })

  it('refuses calls after it was closed', async () => {
    const other = await isolatePlugin(url('plugin.mjs'), { deadlineMs: 2000 })
    const never = new AbortController().signal
    const refused = expect(other.facts(request({ do: 'hang' }), read, 7, never)).rejects
    const waiting = refused.toMatchObject({ code: 'closed' })
    await other.close()
    await waiting
    await expect(other.facts(request({}), read, 7, never)).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('an engine in a worker', () => {
  it('is made with its options, and says why it ends', async () => {
    const module = new URL('../engine/jit/index.ts', import.meta.url)
    const jit = await isolateEngine(module, {
      deadlineMs: 60_000,
      exportName: 'createJitEngine',
      options: { maxSteps: 1000 },
    })
    try {
      const made = await compiled('decision := count(numbers.range(1, input.n))')
      const policy = await jit.load(made)
      const ask = async (n: number) =>
        policy.evaluate('p/decision', { value: { n }, text: `{"n":${n}}` })
      await expect(ask(5000)).rejects.toMatchObject({ code: 'budget_exhausted' })
      expect(await ask(50)).toBe(50)
    } finally {
      await jit.close()
    }
  })

  const bundle = (digest: string): Bundle => ({
    digest,
    revision: 'r',
    sources: {},
    data: {},
    capabilities: 'trust',
    entrypoints: ['ok', 'loop'],
    wasm: new Uint8Array(),
    plan: {},
  })
  const input = { value: { a: 1 }, text: '{"a":1}' }

  it('evaluates, and keeps two policies apart', async () => {
    const [one, two] = [await engine.load(bundle('one')), await engine.load(bundle('two'))]
    expect(await one.evaluate('ok', input)).toMatchObject({ digest: 'one', value: { a: 1 } })
    expect(await two.evaluate('ok', input)).toMatchObject({ digest: 'two' })
    expect(await one.evaluate('nothing', input)).toBeUndefined()
    await one.close()
    await expect(one.evaluate('ok', input)).rejects.toMatchObject({ code: 'closed' })
    expect(await two.evaluate('ok', input)).toMatchObject({ digest: 'two' })
    await two.close()
  })

  it('that loops is ended at its deadline, and the policy is loaded again', async () => {
    const policy = await engine.load(bundle('three'))
    await expect(policy.evaluate('loop', input)).rejects.toMatchObject({ code: 'timeout' })
    expect(await policy.evaluate('ok', input)).toMatchObject({ digest: 'three', count: 1 })
    await policy.close()
  })

  it('says what a bundle or an evaluation failed on', async () => {
    await expect(engine.load(bundle('bad'))).rejects.toMatchObject({ code: 'invalid_bundle' })
    const policy = await engine.load(bundle('four'))
    await expect(policy.evaluate('throw', input)).rejects.toMatchObject({
      code: 'evaluation_failed',
    })
  })
})

describe('the watchdog', () => {
  const children: ReturnType<typeof spawn>[] = []
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const watchdog = new URL('./watchdog.ts', import.meta.url).href
  function run(code: string): Promise<{ code: number | null; stderr: string }> {
    const script = `const { startWatchdog } = await import(${JSON.stringify(watchdog)}); const dog = await startWatchdog(0.4); ${code}`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    children.push(child)
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })))
  }

  // Long, and not for ever: without a watchdog, and without this test to kill it, the process has to end too.
  it.each([
    ['a loop', 'const end = Date.now() + 60_000; while (Date.now() < end);'],
    ['a regular expression', '/^(a+)+$/.test("a".repeat(38) + "b")'],
    ['a wait', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)'],
  ])('ends a process that is blocked by %s with exit code 70 and one line', async (_, code) => {
    const ended = await run(`setTimeout(() => { ${code} }, 100)`)
    expect(ended.code).toBe(70)
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  })

  it('leaves alone a process that is busy in small steps, idle, or done', async () => {
    const busy =
      'for (let i = 0; i < 8; i++) { const end = Date.now() + 150; while (Date.now() < end); await new Promise((r) => setTimeout(r, 1)) }'
    expect(await run(busy)).toEqual({ code: 0, stderr: '' })
    expect(await run('await new Promise((r) => setTimeout(r, 1200))')).toEqual({
      code: 0,
      stderr: '',
    })
    expect(await run('await dog.stop()')).toEqual({ code: 0, stderr: '' })
  })
})
