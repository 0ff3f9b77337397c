import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bundle, Compiler } from '../core/ports/compiler.ts'
import { Payload } from '../core/request.ts'
import { COMPILER, Place } from '../test/composed.ts'
import { posted } from '../test/http-lanes.ts'
import { bundle, compiler } from '../test/rego.ts'
import { Adapters, type Composed, type Part } from './compose.ts'
import { loadConfig } from './config/load.ts'
import type { EventLog } from './telemetry/eventlog.ts'
import { serveHttp } from './transport/http/index.ts'

let place: Place
beforeEach(async () => {
  place = await Place.make()
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

/** Ada owns a workload, and its checkpoint is what she asks for. */
const STATE = `state: ${join(import.meta.dirname, 'config/example-state.json')}\n`
const EVALUATION = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}
const decide = ({ kernel }: Composed) =>
  kernel.decide({ action: 'access.evaluate', payload: Payload.fromJson(EVALUATION) })

/** Its WebAssembly is made of other rules than its plan: that nobody may read what is theirs. */
const LYING: Part = {
  port: 'compiler',
  async open() {
    const honest = (await COMPILER.open()) as Compiler
    return {
      ...honest,
      async build(sources, options): Promise<Bundle> {
        const changed = Object.entries(sources).map(([path, text]) => [
          path,
          text.replace(
            'workload.attributes.owner == rbac.person.id',
            'workload.attributes.owner != rbac.person.id',
          ),
        ])
        const other = await honest.build(Object.fromEntries(changed), options)
        return { ...(await honest.build(sources, options)), wasm: other.wasm }
      },
    }
  },
}

describe('an engine of the configuration', () => {
  test.each(['jit', 'wasm', 'both'])('%s decides, in this thread and in a worker', async (kind) => {
    for (const more of ['', ', isolation: worker, deadlineMs: 60000']) {
      const composed = await place.start(
        `${STATE}engine: { kind: ${kind}${more} }\nlimits: { timeoutMs: 60000 }`,
      )
      expect(await decide(composed)).toMatchObject({ allow: true })
      await place.stop()
    }
  })

  test.each(['jit', 'wasm', 'both'] as const)('%s ends at its steps', async (kind) => {
    const made = await bundle('decision := count(numbers.range(1, input.n))')
    for (const isolation of ['none', 'worker'] as const) {
      const engine = { kind, isolation, deadlineMs: 60_000, maxSteps: 1000 }
      const adapters = new Adapters({ ...(await loadConfig({ data: place.data })), engine })
      try {
        const policy = await (await adapters.get('engine')).load(made)
        const ask = async (n: number) =>
          policy.evaluate('p/decision', { value: { n }, text: `{"n":${n}}` })
        expect(await ask(500)).toBe(500)
        await expect(ask(1001)).rejects.toMatchObject({ code: 'budget_exhausted' })
        expect(await ask(500)).toBe(500)
      } finally {
        await adapters.close()
      }
    }
  })
})

describe('two engines of which one lies', () => {
  test.each(['', ', isolation: worker, deadlineMs: 60000'])(
    'let nobody in, say so in the log line, the metric and the leaf%s',
    async (more) => {
      const composed = await place.start(
        `${STATE}engine: { kind: both${more} }\ntelemetry: { metrics: true }\nlog: { level: info }\nlimits: { timeoutMs: 60000 }`,
        { parts: [LYING] },
      )
      const written = vi.spyOn(composed.telemetry.log as EventLog, 'write')
      const server = await serveHttp(composed.kernel, { operations: composed.telemetry.operations })
      try {
        const answer = await fetch(`${server.url}/access/v1/evaluation`, posted(EVALUATION))
        expect(await answer.json()).toMatchObject({ decision: false })
        const { reasons } = await decide(composed)
        expect(reasons).toMatchObject([{ code: 'internal/engine_mismatch' }])
        const metrics = await (await fetch(`${server.url}/metrics`)).text()
        expect(metrics).toMatch(/^assay_engine_compared_total\{outcome="mismatch"\} 2$/m)
        expect(metrics).toContain('reason="internal/engine_mismatch"')
        const told = written.mock.calls.filter(([, event]) => event === 'engine_mismatch')
        const answer256 = expect.stringMatching(
          /^engine\/(?:jit|wasm) sha256:[0-9a-f]{64}$/,
        ) as string
        const fields = {
          entrypoint: 'assay/access/decision',
          place: '/allow',
          answers: [answer256, answer256],
        }
        expect(told).toEqual(
          Array(2).fill(['error', 'engine_mismatch', expect.objectContaining(fields)]),
        )
        expect(JSON.stringify(told)).not.toMatch(/"ada|ckpt/)
      } finally {
        await server.close()
      }
    },
  )
})
