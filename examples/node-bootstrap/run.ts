/**
 * A node from bare to trusted, with a task carried out, and then another CA behind the control plane: announced, acknowledged, used, and the
 * old one taken out. Nobody copies a file to the node. See README.md.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ca, newCa } from './certificates.ts'
import { Node } from './node.ts'
import { Platform } from './platform.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-node-bootstrap-'))
const say = (what: string, came: string): void => console.log(`${what.padEnd(52)} ${came}`)
const anchor = ({ cert, id }: Ca, state: string): object => ({ id, state, value: cert })

/** The package's own policies, but that this process may manage keys, and says where the control plane is. */
function preparePolicies(): string {
  const policies = join(folder, 'policies')
  cpSync(join(import.meta.dirname, '../../policies'), policies, { recursive: true })
  const change = (plugin: string, how: (data: Data) => object): void => {
    const file = join(policies, plugin, 'data.json')
    writeFileSync(file, JSON.stringify(how(JSON.parse(readFileSync(file, 'utf8')) as Data)))
  }
  change('bootstrap', (data) => ({ ...data, control_plane: 'https://control.example' }))
  change('signer', ({ may, ...data }) => {
    const us = { actions: ['*'], id: 'platform', kind: 'embedded', scopes: ['*'] }
    return { ...data, may: { ...may, peers: [...may.peers, us] } }
  })
  const config = join(folder, 'assay.json')
  writeFileSync(config, JSON.stringify({ plugins: ['signer', 'task', 'bootstrap'], policies }))
  return config
}
interface Data {
  readonly may: { readonly peers: readonly object[] }
}

let platform: Platform | undefined
try {
  mkdirSync(join(folder, 'ca'))
  const [old, next, nodes] = ['web-2026', 'web-2027', 'nodes-1'].map((id) =>
    newCa(join(folder, 'ca'), id),
  ) as [Ca, Ca, Ca]
  platform = await Platform.start(join(folder, 'data'), preparePolicies(), old.issue())
  await platform.publish('https', [anchor(old, 'current')])
  await platform.publish('node-ca', [anchor(nodes, 'current')])
  const root = { id: 'root-1', state: 'current', value: platform.key('verifier-root') }
  await platform.publish('verifier-root', [root])
  await walk(platform, old, next)
} finally {
  await platform?.stop()
  rmSync(folder, { recursive: true })
}

async function walk(platform: Platform, old: Ca, next: Ca): Promise<void> {
  const { url } = platform
  const node = new Node('node-1', join(folder, 'node-1'))
  const token = await platform.token('node-1')
  say('a bare node, with its token', await node.enrol(url, token))
  const again = new Node('node-1', join(folder, 'thief'))
  say('the same token again', await again.enrol(url, token))
  say('over TLS that it verifies now', await node.fetchSet(url))
  const task = await platform.task('node-1')
  say('a task', node.accept(task))
  say('the same task again', node.accept(task))
  await node.call(url, '/acknowledge', { node_id: 'node-1', trust: 'https', version: 1 })

  const both = (first: string, second: string) => [anchor(old, first), anchor(next, second)]
  const announced = await platform.publish('https', both('current', 'next'))
  say(
    'another CA is used before the node has heard of it',
    await platform.publish('https', both('retiring', 'current')),
  )
  node.trust.updateHttps(announced)
  await node.call(url, '/acknowledge', { node_id: 'node-1', trust: 'https', version: 2 })
  const used = await platform.publish('https', both('retiring', 'current'))
  say('once the node has acknowledged it', used.startsWith('{') ? 'published' : used)
  node.trust.updateHttps(used)
  platform.serve(next.issue())
  say('the server has a certificate of the new CA', await node.fetchSet(url))
  const alone = await platform.publish('https', [anchor(next, 'current')])
  node.trust.updateHttps(alone)
  say('the old CA is taken out', `${node.trust.httpsCa().length} CA, ${await node.fetchSet(url)}`)
  platform.serve(old.issue())
  say(
    'a server with a certificate of the old one',
    await node.fetchSet(url).catch(() => 'not trusted'),
  )
  say('an older document', JSON.stringify(node.trust.updateHttps(announced)))
  console.log('\nWhat the log says of it:')
  for (const line of platform.decided.filter((one) => /bootstrap\./.test(one))) console.log(line)
}
