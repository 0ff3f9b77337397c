/** `npm run example:cells`, as its page has it: three servers, a driver that fails, and the reason of every answer. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../source.ts'

const TOLD = `
granted                        allowed  granted
used                           allowed  token_accepted
used, asked of another cell    allowed  token_accepted
presented to another cell      denied   audience_mismatch
narrowed offline: reads        allowed  token_accepted
narrowed offline: submits      denied   caveat_denied
renewed                        allowed  renewed
the old token                  denied   lease_generation_stale
the new token                  allowed  token_accepted
lent                           allowed  token_accepted
what was lent is revoked       allowed  peer_allowed
there                          denied   token_revoked
elsewhere                      denied   token_revoked
                               the other cell knew after N ms
the token that it came from    allowed  token_accepted
freed                          allowed  ended
leased again                   denied   resource_fenced
reset                          allowed  reset_requested
leased again                   allowed  granted
verified                       N receipts, with every server stopped
`

test('the life of a lease on three cells', { timeout: 240_000 }, async () => {
  const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  const run = promisify(execFile)('npm', ['run', '--silent', 'example:cells'], {
    cwd: root,
    env: { ...process.env, PATH },
  })
  const { stdout } = await run
  const told = stdout.replace(/ \d+ (ms|receipts)/g, ' N $1')
  expect(`\n${told}`).toBe(TOLD)
})
