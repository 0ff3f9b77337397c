import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from './answer.ts'
import { readTarget } from './forward-path.ts'

/** The path, or the code of the refusal. */
function read(target: string): string {
  try {
    return readTarget(target).path
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('a path with one reading', () => {
  test.each([
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a/b?c=d', '/a/b'],
    ['/a?', '/a'],
    ['/%61/B', '/a/B'],
    ['/a%20b', '/a b'],
    ['/%C3%A9', '/é'],
    ['/%e3%81%82', '/あ'],
    ['/a:b@c,d', '/a:b@c,d'],
    ['/100%25', '/100%'],
    ['/...', '/...'],
    ['/.well-known/x', '/.well-known/x'],
  ])('%s is %s', (target, path) => {
    expect(read(target)).toBe(path)
  })
})

describe('what is read in two ways is refused', () => {
  test.each([
    ['no path', ''],
    ['the asterisk form', '*'],
    ['the absolute form', 'http://app.example.com/admin'],
    ['another authority', '//app.example.com/admin'],
    ['an empty segment', '/public//admin'],
    ['two slashes at the end', '/admin//'],
    ['a dot segment', '/public/../admin'],
    ['a dot segment at the end', '/public/..'],
    ['a single dot', '/./admin'],
    ['an encoded dot segment', '/public/%2e%2E/admin'],
    ['half an encoded dot segment', '/public/.%2e/admin'],
    ['an encoded slash', '/public%2fadmin'],
    ['an encoded slash, upper case', '/public%2Fadmin'],
    ['a backslash', '/public\\..\\admin'],
    ['an encoded backslash', '/public%5cadmin'],
    ['a path parameter', '/admin;a=b'],
    ['a path parameter before dots', '/public/..;/admin'],
    ['an encoded semicolon', '/admin%3b'],
    ['encoded twice', '/public/%252e%252e/admin'],
    ['encoded twice, a slash', '/public%252fadmin'],
    ['a null byte', '/public%00/admin'],
    ['a line break', '/a%0d%0aX: y'],
    ['a delete', '/a%7f'],
    ['a space', '/a b'],
    ['a fragment', '/public#/../admin'],
    ['a space in the query', '/public?a=b, /admin'],
    ['bytes that are not UTF-8', '/%ff'],
    ['an overlong slash', '/public%c0%afadmin'],
    ['half a surrogate', '/%ed%a0%80'],
    ['a percent sign alone', '/100%'],
    ['a percent sign and one digit', '/%2'],
    ['%u', '/%u002e'],
    ['raw UTF-8', '/\u00c3\u00a9'],
    ['a full-width slash', '/public%EF%BC%8Fadmin'],
    ['full-width dots', '/public/%EF%BC%8E%EF%BC%8E/admin'],
    ['one dot leaders', '/%E2%80%A4%E2%80%A4/admin'],
    ['a letter and its accent apart', '/e%CC%81'],
  ])('%s', (_, target) => {
    expect(read(target)).toBe('ambiguous_path')
  })
})

/** Pieces that attacks are made of, and harmless ones between them. */
const pieces = fc.oneof(
  fc.constantFrom('/', '//', '.', '..', '%2e', '%2F', '%5c', '\\', ';', '%3B', '%25', '%00', '?'),
  fc.constantFrom('a', 'admin', 'B', 'é', '%C3%A9', '%61', '#', ' ', ':', '@', '%', '%zz', '%252e'),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
)
const targets = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`)

const encoded = (text: string): string => encodeURI(text).replace(/[?#]/g, encodeURIComponent)

/** Every reading that a server is known to take. */
const READINGS: readonly ((path: string) => string)[] = [
  (path) => decodeURIComponent(new URL(path, 'http://h').pathname),
  (path) => decodeURIComponent(new URL(encoded(decodeURIComponent(path)), 'http://h').pathname),
  (path) => posix.normalize(decodeURIComponent(path)),
  (path) => decodeURIComponent(path).replaceAll('\\', '/').replace(/\/+/g, '/'),
  (path) => decodeURIComponent(path.replace(/;[^/]*/g, '')),
  (path) => decodeURIComponent(path).replace(/;[^/]*/g, ''),
]

describe('whatever the target', () => {
  test('an accepted path is what every other reader would read', () => {
    let accepted = 0
    fc.assert(
      fc.property(targets, (target) => {
        const path = read(target)
        if (path === 'ambiguous_path') return
        accepted++
        const raw = target.split('?')[0] as string
        for (const reading of READINGS) expect(reading(raw)).toBe(path)
      }),
      { numRuns: 3000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  test('it is a path or a refusal, and never another error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (target) => {
        expect(read(target)).toMatch(/^(?:ambiguous_path|\/[\s\S]*)$/)
      }),
      { numRuns: 2000 },
    )
  })

  test('a path that is sent again as it was read is read the same', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = read(target)
        fc.pre(path !== 'ambiguous_path')
        const again = path.split('/').map(encodeURIComponent).join('/')
        expect(read(again)).toBe(path)
      }),
      { numRuns: 1000 },
    )
  })
})

test('a query keeps every value of a name', () => {
  const { query } = readTarget('/a?x=1&y=%20&x=2&__proto__=3')
  expect([...query]).toEqual([
    ['x', ['1', '2']],
    ['y', [' ']],
    ['__proto__', ['3']],
  ])
})
