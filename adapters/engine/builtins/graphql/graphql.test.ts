import { describe, expect, it } from 'vitest'
import { differences } from '../../../../test/builtins.ts'

const QUERIES = [
  '{ a }',
  '# first\nquery Q($v: [Int!]! = [1, 2] @d) @x { b: a(i: $v, o: {k: "s", l: [1.5, true, null, E]}) { ...F ... on T { c } } }\nfragment F on T { d }',
  'mutation { m }',
  'subscription { s(b: """block text""") }',
  '{ a(',
  '',
  '{}',
]
const SCHEMAS = [
  'type Query { a: String }',
  '"d" type Query implements I & J @x { "f" a(i: Int = 1): [String!]! } interface I { a: String } union U = A | B enum E { X Y } input N { n: Int = 3 } scalar D directive @x(a: Int) repeatable on OBJECT | FIELD schema { query: Query } extend type Query { z: Int }',
  'type A { a: Missing }',
  'type A',
  'type A {}',
  'x',
]

describe('GraphQL', () => {
  it('has the trees of OPA', async () => {
    const calls = [
      ...QUERIES.map((text) => ({ name: 'graphql.parse_query', operands: [text] })),
      ...SCHEMAS.map((text) => ({ name: 'graphql.parse_schema', operands: [text] })),
    ]
    expect(await differences(calls)).toEqual([])
  })

  it('is valid where OPA says so', async () => {
    const calls = SCHEMAS.flatMap((schema) => [
      { name: 'graphql.schema_is_valid', operands: [schema] },
      ...QUERIES.flatMap((query) =>
        ['graphql.is_valid', 'graphql.parse_and_verify', 'graphql.parse'].map((name) => ({
          name,
          operands: [query, schema],
        })),
      ),
    ])
    expect(await differences(calls)).toEqual([])
  })
})
