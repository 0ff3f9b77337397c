import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callsOf, contextOf, differences, ours } from '../../../../test/builtins.ts'
import { mostly } from '../../../../test/values.ts'
import type { Value } from '../../value/value.ts'
import { BUILTINS } from '../index.ts'
import { Cache } from './cache.ts'
import { simplePattern } from './simple.ts'

const built = (...parts: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...parts), { maxLength: 5 }).map((all) => all.join(''))

const text = mostly(fc.string({ unit: fc.constantFrom(...'abc./-é😀1\n,A'), maxLength: 8 }))
const glob = mostly(
  built(
    'a',
    'b',
    '.',
    '/',
    'é',
    '😀',
    '?',
    '*',
    '**',
    '*',
    '[abc]',
    '[a-c]',
    '[!a]',
    '[!a-b]',
    '{a,b}',
    '{a*,b}',
    '{,c}',
    '{',
    '}',
    ',',
    '[',
    ']',
    '\\',
    '\\*',
    '[]',
    '-',
    '!',
    '{a,{b,c}}',
    '{*.a,**/b}',
  ),
)
const delimiters = mostly(
  fc.constantFrom<Value>(null, [], ['.'], ['/'], ['.', '/'], ['ab'], ['é'], [''], [1]),
)
const general = built(
  'a',
  'b',
  '.',
  '/',
  'é',
  '😀',
  '(a)',
  '(?P<n>b)',
  '(a|b)',
  '[a-c]',
  '[^a]',
  '\\d',
  '\\w',
  '\\s',
  '*',
  '+',
  '?',
  '^',
  '$',
  '|',
  '{2}',
  '\\.',
  '(?i)',
  '[a-',
  '-]',
  '\\b',
  '[\\w-]',
  '[.-]',
  '\\Qx',
  '()',
  '(?:a)',
  '*?',
  '[[:alpha:]]',
  '\\pL',
  '{1,2}',
  '\\z',
  '-',
  '1',
)
const row = fc
  .tuple(
    fc.constantFrom('^', ''),
    fc
      .array(
        fc
          .tuple(
            fc.constantFrom(
              'a',
              'b',
              '.',
              '[a-c]',
              '[^a]',
              '\\d',
              '\\w',
              '\\.',
              '[\\w.-]',
              'é',
              '[^/]',
              '[a-]',
              '[\\d-]',
              '(a|b)',
              '(?:ab|)',
              '(a*|[b-c])',
            ),
            fc.constantFrom('', '', '*', '+', '?', '{2}'),
          )
          .map((all) => all.join('')),
        { maxLength: 4 },
      )
      .map((all) => all.join('')),
    fc.constantFrom('$', ''),
  )
  .map((all) => all.join(''))
/** Twice the same name is an error here, and none in Go. */
const pattern = mostly(fc.oneof(general, row, row).filter((one) => one.split('?P<n>').length < 3))
const template = mostly(
  built(
    '$1',
    '$n',
    '\x24{n}',
    '\x24{1}',
    '$$',
    '$',
    '$1x',
    'x',
    'é',
    '${',
    '$0',
    '$01',
    '\x24{zz}',
  ),
)
const crossing = mostly(
  built(
    'a',
    'b',
    '.',
    'a*',
    'b+',
    '.*',
    '.+',
    '[ab]',
    '[a-c]*',
    '[b]+',
    '\\a',
    '\\*',
    '[',
    ']',
    '*',
    '-',
    '[a-',
    '[]',
  ),
)
const limit = mostly(fc.integer({ min: -2, max: 3 }))
const route = mostly(built('a', 'b', '{a}', '{.*}', '<b>', '{', '}', '.', '{a{2}}', 'é', '{[}'))

const TABLE = {
  'glob.match': [glob, delimiters, text],
  'glob.quote_meta': [glob],
  'regex.find_all_string_submatch_n': [pattern, text, limit],
  'regex.find_n': [pattern, text, limit],
  'regex.globs_match': [crossing, crossing],
  'regex.is_valid': [pattern],
  'regex.match': [pattern, text],
  'regex.replace': [text, pattern, template],
  'regex.split': [pattern, text],
  'regex.template_match': [
    route,
    text,
    mostly(fc.constantFrom('{', '<', 'é', '{')),
    mostly(fc.constantFrom('}', '>', '', '}')),
  ],
}

function say(name: string, ...operands: Value[]): string {
  return ours({ name, operands })
}

describe('built-ins of patterns', () => {
  it('say what OPA says', { timeout: 60_000 }, async () => {
    expect(await differences(callsOf(TABLE, 40, 20_006))).toEqual([])
  })

  /** Each would outlive the test's time many times over where an engine tries all ways one after another. */
  it.each([
    ['(a+)+$', 'a'],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'],
    ['(a|a)*b', 'a'],
    ['^a*a*a*a*a*a*a*a*b$', 'a'],
    ['(x+x+)+y', 'x'],
    ['^.*.*.*.*.*.*=$', 'x'],
  ])('%s does not hang', (regex, char) => {
    expect(say('regex.match', regex, `${char.repeat(20_000)}!`)).toBe('false')
  })

  it('a glob with many stars does not hang', () => {
    const stars = `${'*a'.repeat(30)}b`
    expect(say('glob.match', stars, null, 'a'.repeat(5_000))).toBe('false')
    expect(say('glob.match', `{${stars},x}*${stars}`, null, 'a'.repeat(5_000))).toBe('false')
    expect(say('regex.globs_match', 'a*.*'.repeat(40), `${'.*b'.repeat(40)}`)).toBe('true')
  })

  it('counts what a long text costs', () => {
    const long = 'a'.repeat(100_000)
    expect(() => BUILTINS.get('regex.match')?.(contextOf(100), '(a+)+$', long)).toThrow(RangeError)
    expect(() => BUILTINS.get('glob.match')?.(contextOf(100), '*a*a*b', null, long)).toThrow(
      RangeError,
    )
  })

  it.each(['(?<=a)b', '\\C', '(a)\\1', 'a{1001}', 'a**', '(?P<n>a)(?P<n>b)'])(
    'does not take %s',
    (regex) => {
      const context = contextOf()
      BUILTINS.get('regex.match')?.(context, regex, 'a')
      expect(context.failure?.code).toBe('eval_builtin_error')
    },
  )
})

describe('simple patterns', () => {
  it.each([
    '^[a-z0-9-]+$',
    '^/api/v[0-9]+/users/[^/]+$',
    'foo',
    '^a.*z$',
    '^\\w+@\\w+\\.com$',
    '^(GET|POST)$',
    '^/(?:a|b(c|))/[0-9]+',
  ])('%s is one', (regex) => expect(simplePattern(regex)).toBeInstanceOf(RegExp))

  it.each([
    ['a+', 'tried from every start'],
    ['^a*a*$', 'tried at two lengths'],
    ['^.*[a-z]+$', 'long after what is tried'],
    ['^(a|b)+$', 'groups that repeat'],
    ['^a|b$', 'anchors of one alternative'],
    ['^(?P<n>a)$', 'names'],
    ['^a+?b', 'lazy'],
    ['^\\s+$', 'other blanks in JavaScript'],
    ['(?i)a', 'flags'],
    ['^[[:alpha:]]$', 'named classes'],
    ['^\\bA', 'boundaries'],
    ['^a{2,3}$', 'ranges of counts'],
  ])('%s is none: %s', (regex) => expect(simplePattern(regex)).toBeUndefined())
})

describe('the memory of patterns', () => {
  it('is bounded, and forgets the oldest', () => {
    const made: string[] = []
    const cache = new Cache(2, (key) => {
      made.push(key)
      return key
    })
    for (const key of ['a', 'b', 'a', 'c', 'a']) cache.get(key)
    expect(made).toEqual(['a', 'b', 'c', 'a'])
  })
})
