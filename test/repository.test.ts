/** What must hold for every file that is handed out: links lead somewhere, nothing names this machine, tests run, reasons are documented. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText, repositoryFiles, root } from './source.ts'

const files: readonly string[] = repositoryFiles()
const LOCKS = /(^|\/)(package-lock\.json|go\.sum)$/
const texts: readonly (readonly [path: string, text: string])[] = files
  .filter((path) => /\.(ts|js|mjs|json|md|rego|ya?ml|sh|go|html|css|tla|cfg)$|\/[^.]+$/.test(path))
  .filter((path) => !LOCKS.test(path))
  .map((path) => [path, readText(path)])

/** `path:line text` of each line that `pattern` matches. */
function lines(pattern: RegExp, from: readonly (readonly [string, string])[] = texts): string[] {
  return from.flatMap(([path, text]) =>
    text
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
  )
}

/** A heading's anchor, as code forges make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

function anchors(markdown: string): ReadonlySet<string> {
  return new Set([...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)))
}

function deadLinks(path: string, text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return []
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(root, target))) return [`${path}: ${link}`]
    if (anchor === undefined || !target.endsWith('.md')) return []
    const known = anchors(target === path ? text : readText(target))
    return known.has(anchor) ? [] : [`${path}: ${link}`]
  })
}

describe('links', () => {
  test('of every page lead to a file and a heading that exist', () => {
    const pages = texts.filter(([path]) => path.endsWith('.md'))
    expect(pages.length).toBeGreaterThan(3)
    expect(pages.flatMap(([path, text]) => deadLinks(path, text))).toEqual([])
  })

  test('that are dead are seen', () => {
    const text = '# A b\n[x](no/such.md) [y](#nothing) [z](#a-b) `[q](code)`'
    expect(deadLinks('README.md', text)).toEqual(['README.md: no/such.md', 'README.md: #nothing'])
  })
})

describe('no file names', () => {
  // Written in pieces, so that this file does not find itself.
  const MACHINE = new RegExp(`(^|[^\\w.-])/(${['wo' + 'rk', 'ro' + 'ot', 'home/\\w+'].join('|')})/`)
  const REGISTRY = new RegExp(
    ['npmjs\\.(org|com)', 'proxy\\.golang', 'maven\\.org', 'pythonhosted']
      .join('|')
      .replaceAll('\\.', '[.]'),
  )

  test('a path of the machine it was made on', () => {
    expect(`see /ro${'ot'}/x`).toMatch(MACHINE)
    expect(lines(MACHINE)).toEqual([])
  })

  test('a registry host', () => {
    expect(`https://registry.npmjs.${'org'}/x`).toMatch(REGISTRY)
    expect(lines(REGISTRY).filter((line) => !line.startsWith('test/repository.test.ts'))).toEqual(
      [],
    )
  })
})

describe('tests and types', () => {
  const code = texts.filter(([path]) => path.endsWith('.ts'))

  test('none is switched off or left for later', () => {
    const OFF = new RegExp(
      `\\b(it|test|describe)\\.(${['sk' + 'ip', 'to' + 'do', 'on' + 'ly'].join('|')})\\b`,
    )
    expect(`test.sk${'ip'}('x')`).toMatch(OFF)
    expect(lines(OFF, code)).toEqual([])
  })

  test('no check of the compiler is switched off', () => {
    expect(lines(new RegExp(`@ts-(${'ig'}nore|${'no'}check)`), code)).toEqual([])
  })

  test('no unfinished work', () => {
    expect(lines(new RegExp(`\\b(${'TO'}DO|${'FIX'}ME|${'X'}XX)\\b`))).toEqual([])
  })
})

describe('reasons', () => {
  const rego = texts.filter(([path]) => /^policies\/[a-z]+\/.*\.rego$/.test(path))
  const plugins = files.flatMap((path) => path.match(/^plugins\/([^/]+)\/README\.md$/)?.[1] ?? [])

  test.each(plugins)('of %s stand in its README', (plugin) => {
    const page = readText(`plugins/${plugin}/README.md`)
    const rules = rego.filter(
      ([path]) => path.startsWith(`policies/${plugin}/`) && !path.endsWith('_test.rego'),
    )
    const codes = new Set(
      rules.flatMap(([, text]) =>
        [...text.matchAll(/"code":\s*"([a-z0-9_]+)"/g)].map(([, code]) => code),
      ),
    )
    expect(codes.size).toBeGreaterThan(0)
    expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
  })
})
