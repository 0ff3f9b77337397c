import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Fault, type FaultProxy, faultProxy } from './proxy.ts'

let reached = 0
let backend: Server
let proxy: FaultProxy
beforeAll(async () => {
  backend = createServer((_, answer) => {
    reached++
    answer.end('the whole answer')
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  proxy = await faultProxy(`http://127.0.0.1:${(backend.address() as AddressInfo).port}`)
})
beforeEach(() => {
  reached = 0
})
afterAll(async () => {
  await proxy.close()
  backend.close()
})

async function asked(fault: Fault | undefined): Promise<string> {
  proxy.fault = () => fault
  const init = { method: 'POST', body: 'question', signal: AbortSignal.timeout(500) }
  try {
    const answer = await fetch(`${proxy.url}/path?x=1`, init)
    return `${answer.status} ${await answer.text()}`
  } catch (error) {
    return (error as Error).name
  }
}

const cases: readonly (readonly [Fault | undefined, string, number])[] = [
  [undefined, '200 the whole answer', 1],
  [{ delayMs: 50 }, '200 the whole answer', 1],
  [{ answer: { status: 503, body: '{}' } }, '503 {}', 0],
  ['lose', 'TypeError', 0],
  ['loseAnswer', 'TypeError', 1],
  [{ cut: 5 }, 'TypeError', 1],
  ['hang', 'TimeoutError', 0],
]
test.each(cases)('%o', async (fault, answer, calls) => {
  expect(await asked(fault)).toBe(answer)
  expect(reached).toBe(calls)
})

test('what arrived is seen', async () => {
  await asked(undefined)
  const { body, method, path } = proxy.seen.at(-1)!
  expect([method, path, String(body)]).toEqual(['POST', '/path?x=1', 'question'])
})
