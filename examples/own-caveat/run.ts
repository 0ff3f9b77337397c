/**
 * A type of caveat of one's own, while the server runs: a token with it is refused as long as no rule understands it, and means what the
 * rule says from the moment at which its folder is there. See README.md.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { assemble, attenuate, type Grant, newKey, seal } from 'assay/token'

const TYPE = 'only_from_partition'
const here = import.meta.dirname
const root = join(here, '../..')
const folder = mkdtempSync(join(tmpdir(), 'assay-own-caveat-'))
const policies = join(folder, 'policies')

interface Answer {
  readonly allow: boolean
  readonly reasons: readonly { readonly code: string; readonly message: string }[]
  readonly output?: unknown
}

cpSync(join(here, 'assay.yaml'), join(folder, 'assay.yaml'))
cpSync(join(root, 'policies'), policies, { recursive: true })
const server = spawn(
  join(root, 'bin/assay'),
  ['serve', '--port', '0', '--config', 'assay.yaml', '--data', 'data'],
  { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
)
try {
  await walk(await listening(server))
} finally {
  server.kill()
  await new Promise((resolve) => server.once('exit', resolve))
  rmSync(folder, { recursive: true })
}

async function walk(url: string): Promise<void> {
  const token = await leaseToken(url)
  const narrowed = await seal(await attenuate(token, [{ t: TYPE, v: 'blue' }]))
  const use = (partition?: string, presented = narrowed): Promise<string> =>
    code(url, 'capability.use', {
      at: 'cell-local',
      operation: { op: 'submit', resource: 'gpu-0', ...(partition && { partition }) },
      token: presented,
    })

  tell('the token itself', await use('blue', token))
  tell('narrowed to a type that nobody knows', await use('blue'))

  // Renamed into its place, so that the server never sees half of it.
  cpSync(join(here, TYPE), join(folder, TYPE), { recursive: true })
  renameSync(join(folder, TYPE), join(policies, 'capability/caveats', TYPE))
  console.log(`the folder ${TYPE}/ is copied into the server's policies`)
  const until = Date.now() + 60_000
  while ((await use('blue')) === 'unsupported_caveat' && Date.now() < until) await pause(100)

  tell('from the partition blue', await use('blue'))
  tell('from the partition green', await use('green'))
  tell('from who knows where', await use())
  const wrong = await seal(await attenuate(token, [{ t: TYPE, v: ['blue'] }]))
  tell('with a value that is no name', await use('blue', wrong))
}

/** Leases the cell's one resource. The private key of the token never leaves this process. */
async function leaseToken(url: string): Promise<string> {
  const key = await newKey()
  const { allow, output, reasons } = await decide(url, 'lease.grant', {
    cell: 'cell-local',
    nk: key.publicKey,
    resource: 'gpu-0',
    tenant: 'demo',
    ttl: 300,
  })
  if (!allow) throw new Error(`no lease: ${reasons.map(({ message }) => message).join(', ')}`)
  return assemble(output as Grant, key)
}

async function decide(url: string, action: string, payload: object): Promise<Answer> {
  const response = await fetch(`${url}/assay/v1/decisions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ action, payload }),
  })
  if (!response.ok) throw new Error(`no decision: ${response.status}`)
  return (await response.json()) as Answer
}

/** The first reason's code, of an allow too. */
async function code(url: string, action: string, payload: object): Promise<string> {
  return (await decide(url, action, payload)).reasons[0]?.code ?? 'none'
}

function tell(what: string, reason: string): void {
  console.log(`${what}: ${reason}`)
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const url = /^assay listening on (\S+)$/m.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (status) => reject(new Error(`the server ended with ${status}: ${output}`)))
    setTimeout(() => reject(new Error(`the server is not ready: ${output}`)), 60_000).unref()
  })
}
