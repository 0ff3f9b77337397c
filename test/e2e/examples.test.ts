/** The examples as their pages tell it: each is started by its own command and asked what its page asks. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, Program } from '../proxies.ts'
import { assay } from '../server.ts'
import { readText, root } from '../source.ts'

/** Every `sh` block of a page, in order. */
function blocks(page: string): readonly string[] {
  return [...readText(page).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
}

describe('examples/embedded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-embedded-'))
  const [start = '', ...asked] = blocks('examples/embedded/README.md')
  let service: Program
  let port = 0
  let ids: string[] = []

  beforeAll(async () => {
    const script = start.trim().replace(/^npm run /, '')
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
    const [command = '', ...args] = scripts[script]?.split(' ') ?? []
    port = await freePort()
    const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
    service = new Program(command, [...args, folder, String(port)], root, { PATH })
    await service.listening(port)
  })
  afterAll(async () => {
    await service.stop()
    rmSync(folder, { recursive: true })
  })

  /** Runs one of the page's blocks and returns the status of each answer in it. */
  function carryOut(block: string | undefined): { statuses: number[]; output: string } {
    const pid = service.output.match(/process (\d+)/)?.[1] ?? ''
    const script = (block ?? '').replaceAll('8181', String(port)).replace('PID', pid)
    const output = execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe' })
    ids = [...output.matchAll(/^x-decision-id: (\w+)/gim)].map(([, id = '']) => id)
    const statuses = [...output.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
    return { statuses, output }
  }

  test('allows, denies and forbids what it has no question for', async () => {
    const { output, statuses } = carryOut(asked[0])
    expect(statuses).toEqual([200, 403, 403])
    expect(output).toContain('It rained.')
    expect(output).toContain('"reasons":["not_permitted"]')
    expect(output).toContain('"reasons":["unmapped"]')
    expect(ids.length).toBe(2)
  })

  test('denies the suspended, and carries out what a deletion obliges it to', async () => {
    const { output, statuses } = carryOut(asked[1])
    expect(statuses).toEqual([403, 204])
    expect(output).toContain('"reasons":["suspended"]')
    await expect.poll(() => service.output).toContain('to ada: deleted: plan')
  })

  test('is 503, and not open, without decisions', () => {
    const [id] = ids
    const { output, statuses } = carryOut(asked[2])
    expect(statuses).toEqual([503])
    expect(output).toMatch(/^retry-after: \d+/im)
    expect(output).not.toContain('It rained.')
    ids = [id as string]
  })

  test('leaves a receipt of each decision', async () => {
    const config = join(root, 'examples/embedded/assay.yaml')
    const args = ['receipt', ids[0] as string, '--config', config, '--data', folder]
    const { code, output } = await assay(...args)
    expect(code).toBe(0)
    expect(JSON.parse(output)).toMatchObject({ type: 'assay.receipt/v1' })
  })
})
