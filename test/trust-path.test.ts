/** docs/trust-path.md against the code: what it tells a reader to read is there, and no check of a signature is missing from it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSource, readText, repositoryFiles, root } from './source.ts'

interface Row {
  readonly file: string
  readonly names: readonly string[]
  readonly promise: string
}
const ROW = /^\| \[([^\]]+)\]\(\.\.\/([^)]+)\) \| ((?:`\w+` ?)+) \| (.+) \|$/

const rows: readonly Row[] = readText('docs/trust-path.md')
  .split('\n')
  .filter((line) => line.startsWith('| ['))
  .map((line) => {
    const [, shown = line, file = '', names = '', promise = ''] = ROW.exec(line) ?? []
    expect(shown).toBe(file)
    return { file, names: names.match(/\w+/g) ?? [], promise }
  })

/** A TypeScript file exports it; a Rego file has a rule of this name. */
function has(file: string, name: string): boolean {
  const pattern = file.endsWith('.rego')
    ? `^(?:default )?${name}(?![\\w-])`
    : `^export (?:async )?(?:class|const|function) ${name}\\b`
  return new RegExp(pattern, 'm').test(readText(file))
}

test('the page is a table of files in order', () => {
  expect(rows.length).toBeGreaterThan(30)
  expect(new Set(rows.map(({ file }) => file)).size).toBe(rows.length)
  expect(rows.every(({ promise }) => promise.length > 10)).toBe(true)
})

describe('what it tells a reader to read is there', () => {
  for (const { file, names } of rows)
    test(file, () => {
      expect(existsSync(join(root, file))).toBe(true)
      expect(names.filter((name) => !has(file, name))).toEqual([])
    })
  test('and the test sees what is not', () => {
    expect(has('core/crypto.ts', 'verifyEd2551')).toBe(false)
    expect(has('policies/capability/token.rego', 'refusals')).toBe(false)
  })
})

/** Whatever says whether a signature or a proof of the log holds. */
const CHECKS =
  /^(?:.*\.)?(?:jwtVerify|verify(?:Ed25519|Frame|Head|Inclusion|Note|Receipt|Signature|Token))$/

test('every file that checks a signature is on it', () => {
  const checking = repositoryFiles()
    .filter((path) => /^(core|formats|plugins|adapters|cli)\/.*\.ts$/.test(path))
    .filter((path) => !path.endsWith('.test.ts'))
    .filter((path) => [...readSource(path).names.keys()].some((name) => CHECKS.test(name)))
  const listed = new Set(rows.map(({ file }) => file))
  expect(checking.length).toBeGreaterThan(15)
  expect(checking.filter((path) => !listed.has(path))).toEqual([])
})
