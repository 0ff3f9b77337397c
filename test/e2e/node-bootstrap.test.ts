/** The example as its page tells it: one command, and every step comes out as the page says. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { readText, root } from '../source.ts'

test('a node goes from bare to trusted, and through a rotation of CAs', {
  timeout: 120_000,
}, () => {
  const [, script = ''] =
    /^npm run (\S+)$/m.exec(readText('examples/node-bootstrap/README.md')) ?? []
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  const [, ...args] = scripts[script]?.split(' ') ?? []
  const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  const [steps = '', trail = ''] = output.split('\n\n')
  expect(steps.split('\n').map((line) => line.slice(52).trim())).toEqual([
    'trusted',
    'token_used',
    'verifier set 1',
    'accepted: node.install-package',
    'replayed',
    'nodes_lag',
    'published',
    'not_newer',
    '1 CA, not_newer',
    'not trusted',
    '{"accepted":false,"reason":"trust_rollback"}',
  ])
  expect(trail).toMatch(/^[0-9a-f]{32} {2}bootstrap\.fetch +enrolled$/m)
})
