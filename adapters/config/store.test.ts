import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import { complete } from './complete.ts'
import { parseConfig } from './load.ts'

const read = (text: string) => complete(parseConfig(text, 'assay.yaml'), '/etc/assay/assay.yaml')
const storeOf = (text: string) => read(`store: ${text}`).store

function problemsOf(text: string): readonly string[] {
  try {
    storeOf(text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.code).toBe('invalid_config')
    return error.problems.map(({ message }) => message)
  }
}

describe('a store in DynamoDB', () => {
  test('needs a table and a region, and has a prefix', () => {
    expect(storeOf('{ kind: dynamodb, table: decisions, region: eu-central-1 }')).toEqual({
      kind: 'dynamodb',
      table: 'decisions',
      region: 'eu-central-1',
      prefix: 'assay',
    })
  })

  test('may be elsewhere, slower, and published', () => {
    const publish = {
      kind: 's3',
      bucket: 'our-log',
      region: 'eu-west-1',
      prefix: 'logs/a',
    } as const
    const own = {
      ...{ kind: 'dynamodb', table: 'decisions', region: 'eu-central-1', prefix: 'blue' },
      ...{ endpoint: 'http://127.0.0.1:8000', timeoutMs: 900 },
    } as const
    const store = { ...own, publish: { ...publish, credentialsFile: 'aws.json' } }
    expect(storeOf(JSON.stringify(store))).toEqual({
      ...own,
      publish: { ...publish, credentialsFile: '/etc/assay/aws.json' },
    })
  })

  test.each([
    ['no table', '{ kind: dynamodb, region: eu-central-1 }'],
    ['no region', '{ kind: dynamodb, table: decisions }'],
    ['a name that no table has', '{ kind: dynamodb, table: a b, region: eu-central-1 }'],
    ['an ARN', '{ kind: dynamodb, table: "arn:aws:dynamodb:x", region: eu-central-1 }'],
    ['an endpoint without http', '{ kind: dynamodb, table: abc, region: x, endpoint: "db:1" }'],
    ['a prefix that ends early', '{ kind: dynamodb, table: abc, region: x, prefix: "a|r" }'],
    ['an impatient store', '{ kind: dynamodb, table: abc, region: x, timeoutMs: 1 }'],
    ['a secret', '{ kind: dynamodb, table: abc, region: x, secretAccessKey: x }'],
    [
      'another place to publish',
      '{ kind: dynamodb, table: abc, region: x, publish: { kind: ftp } }',
    ],
  ])('%s is refused', (_, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0)
  })
})

describe('realms in one table', () => {
  const table = '{ kind: dynamodb, table: decisions, region: eu-central-1'

  test('have a prefix each', () => {
    const { realms } = read(`store: ${table} }\nrealms: { a: { store: ${table}, prefix: a } } }`)
    expect(realms.a?.store).toMatchObject({ table: 'decisions', prefix: 'a' })
  })

  test.each([
    ['the same prefix', `store: ${table} }\nrealms: { a: { store: ${table} } } }`],
    ['none of their own', `store: ${table} }\nrealms: { a: {} }`],
  ])('%s is refused', (_, text) => {
    expect(() => read(text)).toThrow(ConfigError)
  })
})
