/** A node's agent: what it accepts, what survives, and what it pulls in. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root as repository } from '../test/source.ts'
import { Platform, START } from '../test/task/platform.ts'
import { installPackage, type NodeAgent, type NodeAgentOptions, openNodeAgent } from './index.ts'

const platform = new Platform()
const [a, b, c] = [platform.key('a'), platform.key('b'), platform.key('c')]
let dir: string
let agent: NodeAgent
const open = (more: Partial<NodeAgentOptions> = {}): NodeAgent =>
  openNodeAgent({
    dir,
    nodeId: 'node-7',
    root: [platform.root.x],
    types: [installPackage],
    ...more,
  })
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-node-'))
  agent = open()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const answer = (task: string, now = START): string => {
  const answered = agent.accept(task, now)
  return answered.accepted ? 'accepted' : answered.reason
}
const ingest = (set: string): string => {
  const answered = agent.ingestSet(set)
  return answered.accepted ? 'accepted' : answered.reason
}

describe('sets', () => {
  test('are taken from the root alone', () => {
    expect(ingest(platform.set(1, [a.active]))).toBe('accepted')
    expect(ingest(platform.set(2, [a.active], {}, a))).toBe('key_unknown')
    expect(ingest('{')).toBe('malformed')
    expect(agent.version).toBe(1)
  })

  test('never go back, in another process neither', () => {
    ingest(platform.set(1, [a.active, b.preActive]))
    const other = open()
    expect(other.ingestSet(platform.set(2, [a.revoked, b.active]))).toEqual({
      accepted: true,
      version: 2,
    })
    expect(answer(platform.task('t', [a]))).toBe('key_revoked')
    expect(ingest(platform.set(1, [a.active, b.preActive]))).toBe('verifier_set_rollback')
    agent = open()
    expect(agent.version).toBe(2)
    expect(ingest(platform.set(2, [a.revoked, b.active, c.preActive]))).toBe('equivocation')
    expect(ingest(platform.set(2, [a.revoked, b.active]))).toBe('not_newer')
  })

  test('what was revoked stays so, over sets that say nothing of it', () => {
    ingest(platform.set(1, [a.active, b.preActive]))
    ingest(platform.set(2, [a.revoked, b.active]))
    expect(ingest(platform.set(5, [b.active]))).toBe('accepted')
    agent = open()
    expect(answer(platform.task('t', [a]))).toBe('key_revoked')
    expect(ingest(platform.set(9, [a.active]))).toBe('revoked_key_reactivated')
    expect(ingest(platform.set(9, [b.active, a.preActive]))).toBe('revoked_key_reactivated')
  })

  test('a key that nobody published becomes active in an emergency only', () => {
    ingest(platform.set(1, [a.active]))
    expect(ingest(platform.set(2, [a.revoked, b.active]))).toBe('activated_without_publication')
    expect(ingest(platform.set(2, [a.revoked, b.active], { emergency: true }))).toBe('accepted')
    // Who missed versions cannot know what stood in them.
    expect(ingest(platform.set(4, [b.revoked, c.active]))).toBe('accepted')
  })

  test('a damaged file is an error, and no reason to start again', () => {
    ingest(platform.set(1, [a.active]))
    const [file = ''] = readdirSync(join(dir, 'verifiers'))
    writeFileSync(join(dir, 'verifiers', file), '{"set":')
    expect(() => open()).toThrow(expect.objectContaining({ code: 'corrupt' }))
  })
})

describe('tasks', () => {
  beforeEach(() => {
    ingest(platform.set(1, [a.active, b.preActive]))
  })

  test('are accepted once, whoever holds the folder', () => {
    const task = platform.task('t', [a])
    expect(answer(task)).toBe('accepted')
    expect(answer(task)).toBe('replayed')
    expect(open().accept(task, START)).toEqual({ accepted: false, reason: 'replayed' })
    expect(answer(platform.task('t', [a], { expires_at: START + 3000 }))).toBe('replayed')
  })

  test('that are over stay so when the clock is set back', () => {
    const task = platform.task('t', [a], { expires_at: START + 100 })
    expect(answer(task)).toBe('accepted')
    expect(answer(platform.task('later', [a], { issued_at: START + 2000 }), START + 2000)).toBe(
      'accepted',
    )
    expect(readdirSync(join(dir, 'used'))).toHaveLength(2)
    expect(answer(task)).toBe('replayed')
  })

  test('of a key in grace are accepted until its end, without a newer set', () => {
    ingest(platform.set(2, [a.grace(START + 500), b.active]))
    expect(answer(platform.task('t1', [a], { issued_at: START }), START + 499)).toBe('accepted')
    expect(answer(platform.task('t2', [a], { issued_at: START }), START + 500)).toBe(
      'key_grace_over',
    )
  })

  test('of a key whose grace is over are not accepted again when the clock is set back', () => {
    const grace = platform.set(2, [a.grace(START + 500), b.active])
    ingest(grace)
    const task = platform.task('t', [a], { issued_at: START })
    expect(answer('{', START + 500)).toBe('malformed')
    for (const now of [START + 499, START]) expect(answer(task, now)).toBe('key_grace_over')
    agent = open()
    expect(answer(task, START)).toBe('key_grace_over')
    // Rolled back to, and replaced again: another grace.
    ingest(platform.set(3, [a.active, b.grace(START + 900)]))
    ingest(platform.set(4, [a.grace(START + 900), b.active]))
    expect(answer(task, START)).toBe('accepted')
    expect(readdirSync(join(dir, 'verifiers'))).toEqual(['set-4.json'])
  })

  test('with signatures of the old and the new key are accepted by nodes of either set', () => {
    const both = (id: string): string => platform.task(id, [b, a])
    expect(answer(both('t1'))).toBe('accepted')
    ingest(platform.set(2, [a.revoked, b.active]))
    expect(answer(both('t2'))).toBe('accepted')
    ingest(platform.set(3, [a.revoked, b.retired, c.active], { emergency: true }))
    expect(answer(both('t3'))).toBe('key_retired')
  })

  test('that do not say whose they are, as the node is told', () => {
    expect(answer(platform.task('t1', [a], {}, { keyids: false }))).toBe('accepted')
    agent = open({ requireKeyId: true })
    expect(answer(platform.task('t2', [a], {}, { keyids: false }))).toBe('keyid_missing')
    expect(answer(platform.task('t3', [a]))).toBe('accepted')
  })

  test('that another process forgot are over, whatever the clock says', () => {
    const task = platform.task('t', [a], { expires_at: START + 100 })
    expect(answer(task)).toBe('accepted')
    const later = platform.task('later', [a], { issued_at: START + 2000 })
    expect(open().accept(later, START + 2000)).toMatchObject({ accepted: true })
    expect(answer(task)).toBe('replayed')
  })

  test('whose marks are damaged are not accepted again', () => {
    const [first, second] = [platform.task('t1', [a]), platform.task('t2', [a])]
    expect(answer(first)).toBe('accepted')
    const used = join(dir, 'used')
    for (const name of readdirSync(used)) if (name !== 'over') writeFileSync(join(used, name), '')
    const over = START + 590
    expect(answer(platform.task('later', [a], { issued_at: over }), over)).toBe('accepted')
    agent = open()
    expect(answer(first, over)).toBe('replayed')
    for (const damage of ['', 'x', '12x']) {
      writeFileSync(join(used, 'over'), damage)
      const corrupt = expect.objectContaining({ code: 'corrupt' })
      expect(() => agent.accept(second, START)).toThrow(corrupt)
      expect(() => open()).toThrow(corrupt)
    }
  })

  test('are not accepted where nothing can be written', () => {
    rmSync(join(dir, 'used'), { recursive: true })
    writeFileSync(join(dir, 'used'), '')
    expect(() => agent.accept(platform.task('t', [a]), START)).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    )
  })
})

test('a folder that others may write into, or a link to one, is not believed', () => {
  const used = join(dir, 'used')
  chmodSync(used, 0o720)
  expect(() => open()).toThrow(expect.objectContaining({ code: 'misconfigured' }))
  chmodSync(used, 0o750)
  expect(open().version).toBe(0)
  renameSync(used, join(dir, 'elsewhere'))
  symlinkSync(join(dir, 'elsewhere'), used)
  expect(() => open()).toThrow(expect.objectContaining({ code: 'misconfigured' }))
})

test('a disk with room for half a set leaves the one before', { timeout: 20_000 }, () => {
  ingest(platform.set(1, [a.active, b.preActive]))
  const next = platform.set(2, [a.grace(START + 500), b.active, c.preActive])
  const script = `
    import { openNodeAgent, installPackage } from './node-agent/index.ts'
    const agent = openNodeAgent({ dir: ${JSON.stringify(dir)}, nodeId: 'node-7',
      root: ['${platform.root.x}'], types: [installPackage] })
    try { agent.ingestSet(${JSON.stringify(next)}) } catch ({ code }) { console.log(code) }`
  // The system takes the first hundred bytes of a write, says so, and refuses the next one.
  const limited = ['--fsize=100', process.execPath, '--input-type=module', '-e', script]
  const printed = execFileSync('prlimit', limited, { cwd: repository, encoding: 'utf8' })
  expect(printed).toBe('unavailable\n')
  expect(open().version).toBe(1)
  expect(ingest(next)).toBe('accepted')
})

test.each([{ root: [] }, { root: ['AAAA'] }, { root: ['A'.repeat(43)] }])(
  'a node without a sound root is not opened',
  (wrong) => {
    expect(() => open(wrong)).toThrow(expect.objectContaining({ code: 'misconfigured' }))
  },
)

test('of two processes that take the same task one does, whenever it is killed', {
  timeout: 30_000,
}, () => {
  ingest(platform.set(1, [a.active]))
  const task = platform.task('t', [a])
  const script = `
    import { openNodeAgent, installPackage } from './node-agent/index.ts'
    const agent = openNodeAgent(${JSON.stringify({
      dir,
      nodeId: 'node-7',
      root: [platform.root.x],
    }).slice(0, -1)}, types: [installPackage] })
    if (agent.accept(${JSON.stringify(task)}, ${START}).accepted) console.log('taken')
    process.kill(process.pid, 'SIGKILL')`
  const run = (): string => {
    try {
      return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: repository,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  expect([run(), run(), answer(task)]).toEqual(['taken\n', '', 'replayed'])
})

test('it pulls in formats, the foundations of core, @noble and files, and nothing else', async () => {
  const { metafile } = await build({
    bundle: true,
    conditions: ['assay-source'],
    entryPoints: [join(repository, 'node-agent/index.ts')],
    absWorkingDir: repository,
    format: 'esm',
    metafile: true,
    outfile: join(dir, 'agent.mjs'),
    platform: 'node',
    target: 'node20',
  })
  const inputs = Object.keys(metafile.inputs)
  expect(inputs.filter((path) => !ALLOWED.test(path))).toEqual([])
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports)
  expect([...new Set(outside.map(({ path }) => path))].sort()).toEqual(['node:fs', 'node:path'])
  expect(existsSync(join(dir, 'agent.mjs'))).toBe(true)
})
const ALLOWED =
  /^(node-agent\/|formats\/(dsse|task|trust)\/|core\/(base64|crypto|error|json|p256|platform|schema)\.ts$|node_modules\/@noble\/)/
