/** A decision that was committed while no head could be signed is sealed later: when the signer is back, or by the next process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { CustodyError } from '../../core/error.ts'
import { fsck } from '../../core/log/fsck.ts'
import { verifyReceipt } from '../../core/log/receipt.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { Payload } from '../../core/request.ts'
import { Place } from '../composed.ts'
import { compiler } from '../rego.ts'

const payload = Payload.fromJson({
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'document', id: 'handbook' },
})

let place: Place
beforeEach(async () => {
  place = await Place.make()
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

/** The keys of the place behind a signer that can be taken down. */
async function fragile(): Promise<{ custody: Custody; down: boolean }> {
  const keys = await openFileCustody({ dir: join(place.data, 'keys') })
  const signer = {
    down: false,
    custody: new Proxy(keys, {
      get(of, name) {
        const member = Reflect.get(of, name, of) as unknown
        if (typeof member !== 'function') return member
        if (name === 'sign' && signer.down)
          return () => Promise.reject(new CustodyError('test', 'unavailable', 'down'))
        return member.bind(of)
      },
    }),
  }
  return signer
}

describe('while the signer is down', () => {
  it('decisions stand unsealed and are sealed by themselves once it is back', async () => {
    const signer = await fragile()
    const server = await place.start('seal: sealed', {
      parts: [{ port: 'custody', open: () => signer.custody }],
    })
    signer.down = true
    const decision = await server.kernel.decide({ action: 'access.evaluate', payload })
    expect(decision.seal).toBe('committed_unsealed')
    expect(server.kernel.readiness().problems).toContain('unsealed')
    await expect(decision.receipt()).rejects.toMatchObject({
      code: 'unavailable',
      decisionId: decision.id,
    })
    expect(await server.audit?.outcome(decision.id)).toMatchObject({
      allow: decision.allow,
      seal: 'committed_unsealed',
    })
    signer.down = false
    await vi.waitFor(() => expect(server.kernel.readiness().problems).toEqual([]), {
      timeout: 20_000,
    })
    const receipt = await server.kernel.receipt(decision.id)
    expect(verifyReceipt(receipt!, server.anchor)).toMatchObject({
      ok: true,
      leaf: { id: decision.id },
    })
    expect(await server.audit?.outcome(decision.id)).toMatchObject({ seal: 'sealed' })
  })

  it('a process that ends and one that begins lose nothing', async () => {
    const before = await fragile()
    const first = await place.start('seal: sealed', {
      parts: [{ port: 'custody', open: () => before.custody }],
    })
    before.down = true
    const { id } = await first.kernel.decide({ action: 'access.evaluate', payload })
    await place.stop()
    const signer = await fragile()
    signer.down = true
    const server = await place.start('seal: sealed', {
      parts: [{ port: 'custody', open: () => signer.custody }],
    })
    expect(server.kernel.readiness().problems).toContain('unsealed')
    await expect(server.kernel.receipt(id)).rejects.toMatchObject({ code: 'unavailable' })
    signer.down = false
    await vi.waitFor(async () => expect(await server.kernel.receipt(id)).toBeDefined(), {
      timeout: 20_000,
    })
    expect(verifyReceipt((await server.kernel.receipt(id))!, server.anchor).ok).toBe(true)
    expect(await fsck(server.kernel.log, server.anchor)).toMatchObject({ ok: true })
  })
})

it('killed before anything was signed, the next process seals what was committed', async () => {
  await place.start()
  await place.stop()
  const script = join(import.meta.dirname, 'unsealed-child.ts')
  const child = spawn(process.execPath, [script, place.data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = JSON.parse(await firstLine(child)) as {
    id: string
    seal: string
    problems: string[]
  }
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  expect(said).toMatchObject({ seal: 'committed_unsealed', problems: ['unsealed'] })
  // The child's clock is the real one.
  place.clock.set(Date.now())
  const server = await place.start()
  expect(server.kernel.readiness().problems).toEqual([])
  const receipt = await server.kernel.receipt(said.id)
  expect(verifyReceipt(receipt!, server.anchor)).toMatchObject({ ok: true, leaf: { id: said.id } })
  expect(await fsck(server.kernel.log, server.anchor)).toMatchObject({ ok: true })
})

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.includes('\n')) resolve(text.split('\n')[0] as string)
    })
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
  })
}
