import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openEventLog } from './eventlog.ts'
import type { Fields } from './fields.ts'

function written(format: 'json' | 'text', realm?: string) {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return { lines, log: openEventLog({ level: 'info', format, realm, stream }) }
}

/** One value of each field that may be written. */
const GOOD: Required<Fields> = {
  action: 'access.evaluate',
  allow: false,
  answers: ['engine/jit evaluation_failed', `engine/wasm sha256:${'0'.repeat(64)}`],
  code: 'kernel/deadline',
  decision_id: '0123456789abcdef0123456789abcdef',
  digest: `sha256:${'0'.repeat(64)}`,
  duration_ms: 0.125,
  entrypoint: 'assay/access/decision',
  events: 3,
  exporter: 'opa-logs',
  index: '18446744073709551615',
  place: '/reasons/0/*',
  port: 8180,
  problems: ['store_failed'],
  reasons: ['owner', 'kernel/no_plugin'],
  request_id: '123e4567-e89b-12d3-a456-426614174000',
  revision: 'none',
  route: '/log/tile/*',
  size: '7',
  source: 'http',
  status: 503,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
}

describe('a line', () => {
  test('has the fields of the table, and names its realm where there are several', () => {
    const { lines, log } = written('json', 'tenant-a')
    log.write('warn', 'request', GOOD)
    const { time, ...rest } = JSON.parse(lines[0] as string)
    expect(time).toMatch(/Z$/)
    expect(rest).toEqual({ level: 'warn', event: 'request', realm: 'tenant-a', ...GOOD })
  })

  test('holds nothing that does not fit: no other field, no other form, whatever comes', () => {
    const names = [...Object.keys(GOOD), 'msg', 'err', 'payload', 'headers']
    const canary = fc.constantFrom(
      'canary',
      'Bearer canary',
      '/path/CANARY',
      'a canary\nline',
      '{canary}',
    )
    const value = fc.oneof(canary, fc.array(canary, { minLength: 1 }), fc.object(), fc.anything())
    const entries = fc.dictionary(fc.constantFrom(...names), value)
    fc.assert(
      fc.property(entries, (given) => {
        const { lines, log } = written('json')
        log.write('info', 'request', given as Fields)
        const fields = JSON.parse(lines[0] as string) as Record<string, unknown>
        for (const [name, kept] of Object.entries(fields)) {
          expect(['time', 'level', 'event', ...Object.keys(GOOD)]).toContain(name)
          // A lower-case word is what a code or a name may be.
          if (JSON.stringify(kept) !== '"canary"' && JSON.stringify(kept) !== '["canary"]')
            expect(JSON.stringify(kept).toLowerCase()).not.toMatch(/bearer|\/path|line|\{canary/)
        }
      }),
    )
  })

  test('is plain text for people', () => {
    const { lines, log } = written('text')
    log.write('info', 'request', { route: '/metrics', status: 200, reasons: ['a', 'b'] })
    log.write('debug', 'decision', GOOD)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^\S+Z info request reasons=a,b route=\/metrics status=200\n$/)
  })
})
