/** `opa` as the plugin laws see it: one valid request for each action, with the documents it meets and the effects that follow. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from '../../core/plugin.ts'
import { createOpa } from '../../plugins/opa/facts.ts'
import type { Served } from '../../plugins/opa/served.ts'
import type { PluginSample, PluginSubject } from './plugin.ts'

const root = join(import.meta.dirname, '../..')
const served: Served = {
  entrypoints: ['app/allow', 'app'],
  documents: { users: { ann: { roles: ['admin'] } }, list: [1, 2] },
  rules: [['app', 'allow']],
  owned: [['owned']],
  reserved: ['assay'],
}
const records = { 'document/pushed': { found: true, value: { z: 1, a: { y: 2, b: 3 } } } }
const peer = { kind: 'operator', id: 'root' }

const samples: readonly PluginSample[] = [
  {
    action: 'opa.query',
    payload: { path: ['app', 'allow'], input: { user: 'ann', more: { z: 1, a: [2] } } },
    records,
  },
  { action: 'opa.query', payload: { path: ['pushed'], input: null }, records },
  { action: 'opa.read-policies', payload: { id: 'app.rego' }, records },
  {
    action: 'opa.put-data',
    payload: { path: ['pushed', 'b'], value: { z: 1, a: 2 } },
    peer,
    records,
    effects: [
      { kind: 'opa.write-documents', documents: { pushed: { found: true, value: { b: 1 } } } },
    ],
  },
  {
    action: 'opa.patch-data',
    payload: { operations: [{ op: 'add', path: ['users', 'bob'], value: {} }] },
    peer,
    records,
    effects: [{ kind: 'opa.write-documents', documents: { users: { found: true, value: {} } } }],
  },
  {
    action: 'opa.delete-data',
    payload: { path: ['pushed'] },
    peer,
    records,
    effects: [{ kind: 'opa.write-documents', documents: { pushed: { found: false } } }],
  },
]

function regoOf(...folders: readonly string[]): Record<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  )
  const rego = paths.filter((path) => path.endsWith('.rego'))
  return Object.fromEntries(rego.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

export const opaSubject: PluginSubject = {
  name: 'plugin/opa',
  plugin: createOpa(() => served) as Plugin,
  samples,
  readme: readFileSync(join(root, 'plugins/opa/README.md'), 'utf8'),
  rego: regoOf('policies', 'policies/lib', 'policies/opa'),
}
