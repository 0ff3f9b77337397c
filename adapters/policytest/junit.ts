/** Results as JUnit XML, which CI systems read. */
import type { TestCase } from '../../core/ports/compiler.ts'

/** @see https://github.com/testmoapp/junitxml the members that are in use */
export function junit(tests: readonly TestCase[]): string {
  const suites = new Map<string, TestCase[]>()
  for (const test of tests) {
    const suite = suites.get(test.package) ?? []
    suites.set(test.package, suite)
    suite.push(test)
  }
  const parts = [...suites].map(([name, suite]) => suiteXml(name, suite))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${counts(tests)}>\n${parts.join('')}</testsuites>\n`
}

function suiteXml(name: string, tests: readonly TestCase[]): string {
  const cases = tests.map(caseXml).join('')
  return `  <testsuite name="${escaped(name)}"${counts(tests)}>\n${cases}  </testsuite>\n`
}

function caseXml({ file, message = '', name, outcome, package: suite, row }: TestCase): string {
  const open = `    <testcase classname="${escaped(suite)}" name="${escaped(name)}" file="${escaped(file)}" line="${row}"`
  if (outcome === 'pass') return `${open}/>\n`
  if (outcome === 'skip') return `${open}><skipped/></testcase>\n`
  const tag = outcome === 'error' ? 'error' : 'failure'
  return `${open}><${tag} message="${escaped(message)}"/></testcase>\n`
}

function counts(tests: readonly TestCase[]): string {
  const of = (outcome: TestCase['outcome']): number =>
    tests.filter((test) => test.outcome === outcome).length
  return ` tests="${tests.length}" failures="${of('fail')}" errors="${of('error')}" skipped="${of('skip')}"`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
}

/** XML has no way to write most control characters. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"\n\t]/g, (character) => ENTITIES[character]!)
    .replace(/[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
}
