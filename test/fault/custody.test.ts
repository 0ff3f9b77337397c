/** The disk fails while a key is made: the command says so, and the folder holds either what it held before or the new key, whole. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ASSAY } from '../server.ts'
import { type Fault, Faults } from './fault.ts'

interface Ran {
  readonly code: number | null
  readonly output: string
}

async function assay(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> {
  const child = spawn(ASSAY, [...args, '--json'], { env: { ...process.env, ...env } })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

const KEYS = '/keys/'
const faults: readonly (Fault & { readonly fails: boolean })[] = [
  { operation: 'sync', error: 'EIO', mode: 'always', path: KEYS, fails: true },
  { operation: 'sync', error: 'EIO', mode: 'once', path: KEYS, fails: true },
  { operation: 'write', error: 'EIO', mode: 'always', path: KEYS, fails: true },
  { operation: 'write', error: 'ENOSPC', mode: 'always', path: KEYS, fails: true },
  { operation: 'write', error: 'short', mode: 'always', path: KEYS, fails: false },
]

test.each(faults)(
  'a key is made while $operation says $error $mode',
  {
    timeout: 60_000,
  },
  async ({ fails, ...fault }) => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-fault-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const data = ['--data', join(folder, 'data')]
    expect((await assay({}, 'key', 'create', 'cell', 'before', ...data)).code).toBe(0)

    const broken = new Faults(folder)
    broken.arm(fault)
    const made = await assay(broken.env, 'key', 'create', 'cell', 'during', ...data)
    expect(broken.events().length).toBeGreaterThan(0)
    expect(made.code).toBe(fails ? 2 : 0)
    if (fails) expect(JSON.parse(made.output).error.code).not.toBe('internal')

    const listed = await assay({}, 'key', 'list', 'cell', ...data)
    expect(listed.code).toBe(0)
    expect(listed.output).toContain('before')
    if (!fails) expect(listed.output).toContain('during')
    expect((await assay({}, 'key', 'create', 'cell', 'after', ...data)).code).toBe(0)
  },
)
