/** Task keys of P-256, which are all that some custodies have: a node takes their set and their tasks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { createEnvelope, signedEnvelope } from '../../formats/dsse/index.ts'
import { installPackage, openNodeAgent } from '../../node-agent/index.ts'
import { task } from '../../plugins/task/facts.ts'
import { readText } from '../source.ts'
import { keyFolder } from './folder.ts'
import { begin, ROOT, signing } from './kit.ts'

const shipped = JSON.parse(readText('policies/signer/data.json')) as {
  readonly scopes: { readonly task: object }
}
const scopes = { ...shipped.scopes, task: { ...shipped.scopes.task, algorithms: ['ecdsa-p256'] } }

test('a node takes them as it takes those of Ed25519', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'assay-p256-'))
  const data = { signer: { ...shipped, scopes } as Json }
  const place = await signing({ custody: await keyFolder(), data, plugins: [task as Plugin] })
  try {
    await begin(place)
    const root = (await place.key(ROOT)).versions[0]?.public_key ?? ''
    const agent = openNodeAgent({ dir, nodeId: 'node-7', root: [root], types: [installPackage] })
    const set = JSON.stringify(createEnvelope((await place.set()).envelope))
    expect(agent.ingestSet(set)).toEqual({ accepted: true, version: 1 })
    const params = { digest: `sha256:${'ab'.repeat(32)}`, name: 'driver' }
    const asked = { node_id: 'node-7', params, type: 'node.install-package', version: 1 }
    const { output } = await place.decide('task.sign', asked)
    const signed = JSON.stringify(signedEnvelope(output as never))
    const now = Math.floor(place.clock.now() / 1000)
    expect(agent.accept(signed, now)).toMatchObject({ accepted: true })
  } finally {
    await place.kernel.close()
    rmSync(dir, { recursive: true })
  }
})
