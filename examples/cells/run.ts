/**
 * The life of a lease on three cells: granted, used, narrowed offline, renewed, revoked, torn down in vain, fenced and reset. Each cell is a
 * server of its own with its own log; at the end they are stopped, and the receipt of every decision is verified without them. See README.md.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { assemble, attenuate, type Grant, inspectUnverified, newKey, seal } from 'assay/token'
import { type Answer, Cell } from './cell.ts'
import { Driver } from './driver.ts'

const folder = await mkdtemp(join(tmpdir(), 'assay-cells-'))
const policies = join(folder, 'policies')
const driver = await Driver.start()
const cells: Cell[] = []

try {
  await preparePolicies()
  for (const name of ['cell-a', 'cell-b', 'cell-c']) cells.push(await Cell.prepare(name, folder))
  const [a, b, c] = cells as [Cell, Cell, Cell]
  const controller = a.newKey('controller', 'controller')
  const tenantKey = a.newKey('tenant', 'lab')
  const shared = { driver: driver.url, policies, tenantKey }
  for (const [i, cell] of cells.entries())
    await cell.start({
      ...shared,
      controller: cell === a ? 'own' : controller,
      neighbours: cells.filter((other) => other !== cell),
      resources: [`gpu-${i}`],
    })
  await life(a, b, c)
  const receipts = await Promise.all(cells.map((cell) => cell.receipts()))
  await Promise.all(cells.map((cell) => cell.stop()))
  for (const [i, cell] of cells.entries()) await cell.verify(receipts[i] as readonly string[])
  say('verified', `${receipts.flat().length} receipts, with every server stopped`)
} finally {
  await Promise.all(cells.map((cell) => cell.stop()))
  await driver.stop()
  await rm(folder, { recursive: true })
}

async function life(a: Cell, b: Cell, c: Cell): Promise<void> {
  const use = (cell: Cell, token: string, more: object = {}): Promise<Answer> => {
    const operation = { op: 'submit', resource: 'gpu-0', ...more }
    return cell.ask('lab', 'capability.use', { at: 'cell-a', operation, token })
  }

  // The holder makes the key pair and sends the public half: no private key travels.
  const key = await newKey()
  const asked = { cell: 'cell-a', nk: key.publicKey, resource: 'gpu-0', tenant: 'lab', ttl: 300 }
  const granted = tell('granted', await a.ask('lab', 'lease.grant', asked))
  const token = assemble(granted.output as unknown as Grant, key)
  const { lease } = granted.output as { readonly lease: string }

  tell('used', await use(a, token))
  tell('used, asked of another cell', await until(() => use(c, token), 'token_accepted'))
  const misdirected = { at: 'cell-b', operation: { op: 'submit', resource: 'gpu-0' }, token }
  tell('presented to another cell', await b.ask('lab', 'capability.use', misdirected))

  const narrow = await attenuate(token, [
    { t: 'op', v: ['read'] },
    { t: 'max_bytes', v: 4096 },
  ])
  const sealed = await seal(narrow)
  tell('narrowed offline: reads', await use(a, sealed, { op: 'read', bytes: 100 }))
  tell('narrowed offline: submits', await use(a, sealed))

  const again = await newKey()
  const renewal = { generation: 1, lease, nk: again.publicKey, ttl: 300 }
  const renewed = tell('renewed', await a.ask('lab', 'lease.renew', renewal))
  const fresh = assemble(renewed.output as unknown as Grant, again)
  tell('the old token', await use(a, token))
  tell('the new token', await use(a, fresh))

  const lent = await seal(await attenuate(fresh, [{ t: 'op', v: ['submit'] }]))
  tell('lent', await use(a, lent))
  const [, handle] = (await inspectUnverified(lent)).handles
  const revocation = { cell: 'cell-a', id: handle, kind: 'token' }
  tell('what was lent is revoked', await a.ask('operator', 'announce.revoke', revocation))
  tell('there', await use(a, lent))
  const started = performance.now()
  tell('elsewhere', await until(() => use(b, lent), 'token_revoked'))
  say('', `the other cell knew after ${Math.round(performance.now() - started)} ms`)
  tell('the token that it came from', await use(a, fresh))

  driver.broken = true
  tell('freed', await a.ask('lab', 'lease.free', { lease }))
  const retry = async (): Promise<Answer> => a.ask('lab', 'lease.grant', asked)
  tell('leased again', await until(retry, 'resource_fenced'))
  driver.broken = false
  const reset = { resource: 'gpu-0' }
  tell('reset', await a.ask('operator', 'lease.request-reset', reset))
  tell('leased again', await until(retry, 'granted'))
}

/** The package's own, but that the lab may lease. */
async function preparePolicies(): Promise<void> {
  await cp(join(import.meta.dirname, '../../policies'), policies, { recursive: true })
  const file = join(policies, 'lease/data.json')
  const data = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  const tenants = { lab: [{ kind: 'service', id: 'lab' }] }
  await writeFile(file, JSON.stringify({ ...data, tenants }))
}

/** Asks until this is the reason: what cells tell each other takes a moment. */
async function until(ask: () => Promise<Answer>, code: string): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    if (answer.reasons[0]?.code === code || tries === 100) return answer
    await pause(100)
  }
}

function tell(what: string, answer: Answer): Answer {
  const [reason] = answer.reasons
  say(what, `${answer.allow ? 'allowed' : 'denied '}  ${reason?.code}`)
  return answer
}

function say(what: string, text: string): void {
  console.log(`${what.padEnd(30)} ${text}`)
}
