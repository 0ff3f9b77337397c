import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatAnchor, parseAnchor } from '../core/log/anchor.ts'
import { parseCheckpoint } from '../core/log/checkpoint.ts'
import { fsck } from '../core/log/fsck.ts'
import { parseNote } from '../core/log/note.ts'
import { verifyReceipt } from '../core/log/receipt.ts'
import type { Custody } from '../core/ports/custody.ts'
import { Payload } from '../core/request.ts'
import { COMPILER } from '../test/composed.ts'
import { compiler } from '../test/rego.ts'
import { manualClock } from './clock/manual.ts'
import {
  type Composed,
  type ComposeOptions,
  compose,
  type Part,
  type PolicyEvent,
} from './compose.ts'
import { sealLog } from './compose-log.ts'
import { OWN_POLICIES } from './config/complete.ts'
import { loadConfig } from './config/load.ts'
import { openMemory } from './store/memory/index.ts'

let dir: string
let data: string
const opened: Composed[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-compose-'))
  data = join(dir, 'data')
})
afterEach(async () => {
  for (const composed of opened.splice(0)) await composed.close()
  await rm(dir, { recursive: true, force: true })
})
afterAll(() => compiler.close())

/** Composes what a configuration file with this text says. */
async function start(text = 'seal: sealed', options: ComposeOptions = {}): Promise<Composed> {
  const file = join(dir, 'assay.yaml')
  await writeFile(file, text)
  const config = await loadConfig({ file, data })
  const composed = await compose(config, { watch: false, parts: [COMPILER], ...options })
  opened.push(composed)
  return composed
}
async function stop(): Promise<void> {
  await opened.pop()?.close()
}

const evaluation = (subject: string, resource = 'ckpt-7-0041'): Payload =>
  Payload.fromJson({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: resource },
  })
const ask = async (composed: Composed, subject = 'ada'): Promise<boolean> =>
  (await composed.kernel.decide({ action: 'access.evaluate', payload: evaluation(subject) })).allow

describe('a first start', () => {
  it('makes the folder for its owner alone, a key, and an anchor that says what it is', async () => {
    const { anchor, anchorFile, kernel } = await start()
    expect((await stat(data)).mode & 0o777).toBe(0o700)
    expect(anchorFile).toBe(join(data, 'trust.json'))
    expect(parseAnchor(await readFile(anchorFile))).toEqual(anchor)
    expect(anchor).toMatchObject({ origin: kernel.origin, development: true })
    expect(kernel.origin).toMatch(/^assay\.local\/[0-9a-f]{16}$/)
    expect((await readdir(data)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('gives receipts and a log that the anchor verifies, also after a restart', async () => {
    const first = await start()
    const { id } = await first.kernel.decide({
      action: 'access.evaluate',
      payload: evaluation('ada'),
    })
    await stop()
    const { anchor, kernel } = await start()
    expect(anchor).toEqual(first.anchor)
    const receipt = await kernel.receipt(id)
    expect(verifyReceipt(receipt!, anchor)).toMatchObject({ ok: true, origin: kernel.origin })
    expect(await fsck(kernel.log, anchor)).toMatchObject({ ok: true })
  })

  it('takes the name that the configuration gives', async () => {
    expect((await start('origin: log.example.com/a')).kernel.origin).toBe('log.example.com/a')
  })
})

describe('a later start is refused', () => {
  it('under another name', async () => {
    await start('origin: log.example.com/a')
    await stop()
    await expect(start('origin: log.example.com/b')).rejects.toMatchObject({ code: 'conflict' })
    await rm(join(data, 'trust.json'))
    await expect(start('origin: log.example.com/b')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('with an anchor of another key', async () => {
    const { anchor } = await start()
    await stop()
    const other = 'assay.example+00000000+AAAA'
    await writeFile(join(data, 'trust.json'), '{}')
    await expect(start()).rejects.toMatchObject({ code: 'malformed' })
    await writeFile(
      join(data, 'trust.json'),
      formatAnchor(anchor).replace(/"vkey": ".*"/, `"vkey": "${other}"`),
    )
    await expect(start()).rejects.toMatchObject({ code: 'malformed' })
    await writeFile(join(data, 'trust.json'), formatAnchor({ ...anchor, origin: 'other' }))
    await expect(start()).rejects.toMatchObject({ code: 'conflict' })
  })

  it('without the key', async () => {
    await start()
    await stop()
    await rm(join(data, 'keys'), { recursive: true })
    await expect(start()).rejects.toMatchObject({ code: 'unknown_key' })
  })

  it('beside another writer, who is not disturbed', async () => {
    const composed = await start()
    await expect(start()).rejects.toMatchObject({ code: 'locked' })
    expect(await ask(composed)).toBe(false)
  })

  it('where nothing can be written', async () => {
    await writeFile(data, 'a file')
    await expect(start()).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a start that fails leaves nothing open', () => {
  const broken = (text: string): Promise<unknown> =>
    start(text).then(
      () => 'started',
      (error) => error.code,
    )
  it.each<[string, string, string]>([
    ['policies that do not compile', 'policies: ./broken', 'invalid_policy'],
    ['policies without the entry point', 'policies: ./empty', 'invalid_policy'],
    ['no policies', 'policies: ./none', 'not_found'],
    ['an unknown plugin', 'plugins: [acess]', 'unknown_plugin'],
    ['the same plugin twice', 'plugins: [access, access]', 'duplicate_plugin'],
    ['an unknown store', 'store: { kind: sqlit }', 'unknown_adapter'],
    ['an unknown outbound', 'outbound: [{ kind: ./none.js }]', 'unknown_adapter'],
    ['a state that is not there', 'state: none.json', 'not_found'],
    ['a state that is refused', 'state: bad.json', 'invalid_config'],
  ])('%s', async (_, text, code) => {
    await mkdir(join(dir, 'broken'))
    await mkdir(join(dir, 'empty'))
    await writeFile(join(dir, 'broken', 'a.rego'), 'package a\n\nallow if {')
    await writeFile(join(dir, 'empty', 'a.rego'), 'package a\n\nallow := true\n')
    await writeFile(join(dir, 'bad.json'), '{"subjects": 1}')
    expect(await broken(text)).toBe(code)
    expect(await ask(await start())).toBe(false)
  })
})

describe('the first state', () => {
  const state = (id: string): string =>
    JSON.stringify({
      subjects: [{ type: 'user', id, attributes: {}, related: {}, roles: ['member'] }],
      resources: [],
    })
  const may = async ({ kernel }: Composed, id: string): Promise<boolean> => {
    const resource = { type: 'document', id: 'd' }
    const subject = { type: 'user', id }
    const payload = Payload.fromJson({ subject, action: { name: 'read' }, resource })
    return (await kernel.check({ action: 'access.evaluate', payload })).allow
  }

  it('is one decision, made once', async () => {
    await writeFile(join(dir, 's.json'), state('ann'))
    const first = await start('state: s.json')
    expect(await may(first, 'ann')).toBe(true)
    const { size } = first.kernel.readiness()
    await stop()
    await writeFile(join(dir, 's.json'), state('tom'))
    const second = await start('state: s.json')
    expect([await may(second, 'ann'), await may(second, 'tom')]).toEqual([true, false])
    // A count of the dry run, and no second import.
    expect(Number(second.kernel.readiness().size)).toBe(Number(size) + 1)
  })

  it('may be mended after it was refused', async () => {
    await writeFile(join(dir, 's.json'), '{"subjects": [{}]}')
    await expect(start('state: s.json')).rejects.toMatchObject({ code: 'invalid_config' })
    await writeFile(join(dir, 's.json'), state('ann'))
    expect(await may(await start('state: s.json'), 'ann')).toBe(true)
  })

  it('is not imported into a log that has decisions', async () => {
    await ask(await start())
    await stop()
    await writeFile(join(dir, 's.json'), state('ann'))
    expect(await may(await start('state: s.json'), 'ann')).toBe(false)
  })

  it('is the example where there is no configuration', async () => {
    const composed = await compose(await loadConfig({ data }), { watch: false, parts: [COMPILER] })
    opened.push(composed)
    expect([await ask(composed, 'ada'), await ask(composed, 'ben')]).toEqual([true, false])
  })
})

describe('parts', () => {
  it('take the place of what the configuration says', async () => {
    const clock = manualClock(1_800_000_000_000)
    const parts: Part[] = [
      COMPILER,
      { port: 'clock', open: () => clock },
      { port: 'store', open: () => openMemory() },
    ]
    const { kernel } = await start('seal: sealed', { parts })
    const decision = await kernel.decide({ action: 'access.evaluate', payload: evaluation('x') })
    expect((await decision.receipt()).leaf).toContain('"time":1800000000')
    expect(await readdir(data)).not.toContain('assay.db')
  })

  it('are refused when two are given for one port', async () => {
    await expect(start('', { parts: [COMPILER, COMPILER] })).rejects.toMatchObject({
      code: 'duplicate_adapter',
    })
  })
})

it('a store in memory begins with a key of its own each time, and keeps off a durable log', async () => {
  const first = await start('store: { kind: memory }')
  const origin = first.kernel.origin
  await stop()
  const second = await start('store: { kind: memory }')
  expect(second.kernel.origin).not.toBe(origin)
  expect(second.anchor.keys).not.toEqual(first.anchor.keys)
  await stop()
  data = join(dir, 'durable')
  await start()
  await stop()
  await expect(start('store: { kind: memory }')).rejects.toMatchObject({ code: 'conflict' })
})

describe('a policy folder that is watched', () => {
  const PROBLEM = expect.objectContaining({ file: 'main.rego', row: expect.any(Number) })
  type Edit = (added: string) => Promise<void>
  async function watched(): Promise<{
    composed: Composed
    next(): Promise<PolicyEvent>
    edit: Edit
  }> {
    const policies = join(dir, 'policies')
    await cp(OWN_POLICIES, policies, { recursive: true })
    const events: PolicyEvent[] = []
    let wake = (): void => undefined
    const onPolicy = (event: PolicyEvent): void => {
      events.push(event)
      wake()
    }
    const composed = await start('policies: ./policies', { watch: true, onPolicy })
    const file = join(policies, 'main.rego')
    const original = await readFile(file, 'utf8')
    return {
      composed,
      // As editors do: a file that is being written is empty for a moment, and a look at it would be refused.
      edit: async (added) => {
        await writeFile(`${policies}/.main.rego`, original + added)
        await rename(`${policies}/.main.rego`, file)
      },
      next: async () => {
        if (events.length === 0) await new Promise<void>((resolve) => (wake = resolve))
        return events.shift()!
      },
    }
  }

  it('swaps what compiles, keeps what served when it does not, and logs each swap', async () => {
    const { composed, edit, next } = await watched()
    const { kernel } = composed
    const before = kernel.readiness().policy
    await edit('\ndeny contains {"code": "x", "message": "", "rule": "x"} if input.now > 0\n')
    const swapped = await next()
    expect(swapped).toMatchObject({ kind: 'active' })
    const after = kernel.readiness().policy
    expect(after).toMatchObject({ digest: (swapped as { digest: string }).digest })
    expect(after?.digest).not.toBe(before?.digest)
    const decision = await kernel.decide({ action: 'access.evaluate', payload: evaluation('ada') })
    expect(decision.reasons.map(({ code }) => code)).toContain('x')

    await edit('\ndeny contains {')
    const refused = await next()
    expect(refused).toMatchObject({
      kind: 'refused',
      error: { code: 'invalid_policy', problems: expect.arrayContaining([PROBLEM]) },
    })
    expect(kernel.readiness()).toMatchObject({ ready: true, policy: after })
  })

  it('is stale while what is saved cannot serve or cannot be read, also when it comes back unchanged', async () => {
    const { composed, edit, next } = await watched()
    const { telemetry } = composed
    expect(telemetry.degraded()).toEqual([])
    await edit('\ndeny contains {')
    expect(await next()).toMatchObject({ kind: 'refused' })
    expect(telemetry.degraded()).toEqual(['policy_stale'])
    await edit('')
    expect(await next()).toMatchObject({ kind: 'active' })
    expect(telemetry.degraded()).toEqual([])
    const policies = join(dir, 'policies')
    await rename(policies, `${policies}.away`)
    expect(await next()).toMatchObject({ kind: 'refused', error: { code: 'not_found' } })
    expect(telemetry.degraded()).toEqual(['policy_stale'])
    await rename(`${policies}.away`, policies)
    expect(await next()).toMatchObject({ kind: 'active' })
    expect(telemetry.degraded()).toEqual([])
  }, 30_000)
})

describe('third parties', () => {
  const PLUGIN = `
    const seen = { json: {}, problem: () => undefined }
    export default {
      policies: new URL('./rego/', import.meta.url),
      plugin: {
        name: 'door', actions: ['door.open'],
        schema: { who: { trust: 'verified', schema: { json: {}, problem: () => undefined } } },
        async facts(request) {
          const { who } = request.payload.json()
          if (who === 'loop') for (;;) {}
          return { who }
        },
      },
    }`
  const REGO = `package assay.door

decision := {"allow": input.facts.who == "me", "reasons": [{"code": "door", "message": "", "rule": "door"}], "effects": [], "obligations": []}
`
  beforeEach(async () => {
    const at = join(dir, 'node_modules', 'assay-door')
    await mkdir(join(at, 'rego'), { recursive: true })
    await writeFile(join(at, 'package.json'), '{"type": "module", "exports": "./main.js"}')
    await writeFile(join(at, 'main.js'), PLUGIN)
    await writeFile(join(at, 'rego', 'door.rego'), REGO)
  })
  const open = async ({ kernel }: Composed, who: string): Promise<readonly [boolean, string]> => {
    const payload = Payload.fromJson({ who })
    const { allow, reasons } = await kernel.decide({ action: 'door.open', payload })
    return [allow, reasons[0]!.code]
  }

  it('bring a plugin with its Rego', async () => {
    const composed = await start('plugins: [access, assay-door]')
    expect(await open(composed, 'me')).toEqual([true, 'door'])
    expect(await open(composed, 'you')).toEqual([false, 'door'])
  })

  it("give way to the operator's own folder for their plugin", async () => {
    const policies = join(dir, 'policies')
    await mkdir(join(policies, 'door'), { recursive: true })
    await writeFile(join(policies, 'door', 'mine.rego'), REGO.replace('"me"', '"you"'))
    const composed = await start('plugins: [assay-door]\npolicies: ./policies')
    expect(await open(composed, 'you')).toEqual([true, 'door'])
  })

  it('in a worker are ended when they loop: a denial, a leaf, and the next call works', async () => {
    await mkdir(join(dir, 'none'))
    const plugin = '{ name: assay-door, isolation: worker, deadlineMs: 1500 }'
    const composed = await start(`plugins: [${plugin}]\npolicies: ./none`)
    expect(await open(composed, 'me')).toEqual([true, 'door'])
    const size = BigInt(composed.kernel.readiness().size)
    const [allow, code] = await open(composed, 'loop')
    expect(allow).toBe(false)
    expect(code).toMatch(/^kernel\//)
    expect(BigInt(composed.kernel.readiness().size)).toBe(size + 1n)
    expect(await open(composed, 'me')).toEqual([true, 'door'])
  })

  it('bring adapters', async () => {
    const memory = new URL('./store/memory/index.ts', import.meta.url).href
    await writeFile(
      join(dir, 'store.mjs'),
      `import { openMemory } from '${memory}'
       export default { adapter: { port: 'store', open: (options, place) => {
         if (options.fail) throw new Error('no')
         return openMemory()
       } } }`,
    )
    expect(await ask(await start('store: { kind: ./store.mjs }'))).toBe(false)
    await stop()
    await expect(
      start('store: { kind: ./store.mjs, options: { fail: true } }'),
    ).rejects.toMatchObject({ code: 'unknown_adapter' })
  })
})

it('the engine and the plugin in workers decide the same', async () => {
  const { controller: _, ...config } = await loadConfig({ data })
  const composed = await compose(
    {
      ...config,
      cells: {},
      tenants: {},
      engine: { kind: 'wasm', isolation: 'worker', deadlineMs: 5000 },
      plugins: [{ name: 'access', isolation: 'worker', deadlineMs: 5000 }],
    },
    { watch: false, parts: [COMPILER] },
  )
  opened.push(composed)
  expect([await ask(composed, 'ada'), await ask(composed, 'ben')]).toEqual([true, false])
})

it('what was never signed is signed when somebody asks for it', async () => {
  const { openFileCustody } = await import('./custody/file/index.ts')
  const config = await loadConfig({ data })
  const open = async (): Promise<Custody> => ({
    ...wrapped(await openFileCustody({ dir: join(data, 'keys') })),
    sign: () => Promise.reject(new Error('the signer is away')),
  })
  const parts: Part[] = [COMPILER, { port: 'custody', open }]
  const composed = await compose(config, { watch: false, parts })
  const { id, index } = await composed.kernel.decide(
    { action: 'access.evaluate', payload: evaluation('ada') },
    { seal: 'durable' },
  )
  const again = { action: 'access.evaluate', payload: evaluation('ada') }
  expect((await composed.kernel.decide(again)).seal).toBe('committed_unsealed')
  expect(composed.kernel.readiness()).toMatchObject({ ready: false, problems: ['unsealed'] })
  await expect(sealLog(config)).rejects.toMatchObject({ code: 'locked' })
  await composed.close()

  const head = await sealLog(config)
  expect(head?.size).toBeGreaterThan(BigInt(index ?? -1))
  expect(parseCheckpoint(parseNote(head!.note).text)).toMatchObject({
    origin: composed.kernel.origin,
  })
  const later = await compose(config, { watch: false, parts: [COMPILER] })
  opened.push(later)
  expect(verifyReceipt((await later.kernel.receipt(id))!, later.anchor)).toMatchObject({ ok: true })
})

/** Methods of an adapter as plain functions, to replace one of them. */
function wrapped(custody: Custody): Custody {
  return {
    name: custody.name,
    scopes: custody.scopes,
    algorithms: custody.algorithms,
    maxMessageBytes: custody.maxMessageBytes,
    list: (scope) => custody.list(scope),
    create: (scope, name, algorithm) => custody.create(scope, name, algorithm),
    transition: (key, state) => custody.transition(key, state),
    sign: (request) => custody.sign(request),
    close: () => custody.close(),
  }
}

it('a data folder that others may write to is not made readable by them', async () => {
  await mkdir(data, { mode: 0o700 })
  await chmod(data, 0o755)
  await start()
  expect((await stat(join(data, 'keys'))).mode & 0o077).toBe(0)
})
