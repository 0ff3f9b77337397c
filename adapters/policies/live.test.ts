import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { Sources } from '../../core/ports/compiler.ts'
import { compiler } from '../../test/rego.ts'
import { compilePolicies } from './live.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-live-'))
afterAll(() => rmSync(folder, { recursive: true }))

function written(name: string, files: Sources): URL {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return pathToFileURL(join(folder, name))
}

const rule = (name: string, body: string): string => `package ${name}\n\n${body}\n`
const library = written('lib', {
  'one/one.rego': rule('assay.lib.one', 'said(x) := x'),
  'two.rego': rule('assay.lib.two', 'said := "the package"'),
})
const policies = written('brought', {
  'decision.rego': rule('assay.brought', 'decision := data.assay.lib.one.said("one")'),
})
const options = { capabilities: 'trust', dir: folder, library } as const

test('rules that a plugin brings find the library, and what somebody has of their own stays', async () => {
  const own = {
    'lib/two.rego': rule('assay.lib.two', 'said := "mine"'),
    'main.rego': rule('assay.main', 'decision := true'),
  }
  const plugins = [{ name: 'brought', policies }]
  const { sources } = await compilePolicies(own, { ...options, plugins }, compiler)
  expect(Object.keys(sources).sort()).toEqual([
    'brought/decision.rego',
    'lib/one/one.rego',
    'lib/two.rego',
    'main.rego',
  ])
  expect(sources['lib/two.rego']).toBe(own['lib/two.rego'])
})

test('a folder with rules for every plugin gets nothing', async () => {
  const own = { 'brought/decision.rego': rule('assay.brought', 'decision := true') }
  const plugins = [{ name: 'brought', policies }]
  const { sources } = await compilePolicies(own, { ...options, plugins }, compiler)
  expect(Object.keys(sources)).toEqual(Object.keys(own))
})
