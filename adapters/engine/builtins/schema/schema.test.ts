import { describe, expect, it } from 'vitest'
import { contextOf, differences } from '../../../../test/builtins.ts'
import type { Value } from '../../value/value.ts'
import { JSON_SCHEMA } from './index.ts'

const DOCUMENTS: readonly Value[] = [
  {},
  { a: 1 },
  { a: 'x' },
  [1, 2, 2],
  [],
  '"text"',
  '5',
  'null',
  'true',
  'x',
  3,
  { a: { b: [1, 'y'] } },
  { foo1: 1 },
  '1.5',
  '""',
  '"2020-01-01"',
  '"a@b.c"',
  '"::1"',
  [1, 'x'],
  { a: null },
]
const SCHEMAS: readonly Value[] = [
  {},
  'true',
  'false',
  '{',
  3,
  { type: 'object' },
  { type: ['string', 'number'] },
  { type: 'foo' },
  { type: ['string', 'string'] },
  { type: 3 },
  { type: [3] },
  { properties: { a: { type: 'integer' } }, required: ['a'] },
  { required: ['a', 'a'] },
  { required: [1] },
  { required: 'a' },
  { additionalProperties: false },
  { properties: { a: {} }, additionalProperties: { type: 'string' } },
  { patternProperties: { '^foo': { type: 'string' } } },
  { patternProperties: { '(': {} } },
  { minimum: 2 },
  { maximum: 1 },
  { exclusiveMinimum: 5 },
  { exclusiveMaximum: 5 },
  { minimum: 5, exclusiveMinimum: true },
  { exclusiveMinimum: true },
  { minimum: 'x' },
  { multipleOf: 2 },
  { multipleOf: 0 },
  { multipleOf: 0.1 },
  { multipleOf: 'x' },
  { minLength: 3 },
  { maxLength: 2 },
  { minLength: 3, maxLength: 2 },
  { minLength: -1 },
  { minLength: 1.5 },
  { pattern: '^x' },
  { pattern: '(' },
  { pattern: 3 },
  { minItems: 3 },
  { maxItems: 1 },
  { uniqueItems: true },
  { uniqueItems: 3 },
  { items: { type: 'integer' } },
  { items: [{ type: 'integer' }], additionalItems: false },
  { items: [{ type: 'integer' }], additionalItems: { type: 'string' } },
  { items: 3 },
  { items: [3] },
  { contains: { type: 'string' } },
  { const: 5 },
  { const: { a: 1 } },
  { enum: [5, 'text'] },
  { enum: [] },
  { enum: [1, 1] },
  { enum: 3 },
  { oneOf: [{ type: 'object' }, { type: 'array' }] },
  { oneOf: [{}, {}] },
  { anyOf: [{ type: 'object' }, { type: 'array' }] },
  { allOf: [{ type: 'object' }, { required: ['a'] }] },
  { oneOf: 3 },
  { not: { type: 'object' } },
  { not: 3 },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  { if: { type: 'object' }, then: { required: ['a'] }, else: { minItems: 1 } },
  { if: 3 },
  { $ref: '#/definitions/x', definitions: { x: { type: 'string' } } },
  {
    definitions: {
      n: { properties: { a: { $ref: '#/definitions/n' } }, additionalProperties: false },
    },
    $ref: '#/definitions/n',
  },
  { dependencies: { a: ['b'] } },
  { dependencies: { a: { required: ['b'] } } },
  { dependencies: { a: [1] } },
  { dependencies: 3 },
  { propertyNames: { minLength: 3 } },
  { format: 'date' },
  { format: 'email' },
  { format: 'ipv6' },
  { format: 'nope' },
  { format: 3 },
  { minProperties: 1 },
  { maxProperties: 0 },
  { minProperties: 2, maxProperties: 1 },
  { title: 3 },
  { properties: 3 },
  { properties: { a: 3 } },
  { additionalProperties: 3 },
  { additionalItems: 3 },
  { $schema: 'http://json-schema.org/draft-04/schema#', const: 5 },
  { $schema: 'http://json-schema.org/draft-07/schema#', exclusiveMinimum: true },
  { $schema: 'http://json-schema.org/draft-04/schema#', minimum: 1, exclusiveMinimum: 3 },
  { $schema: 'nope' },
  { definitions: 3 },
  {
    $id: 'http://x/y',
    definitions: { a: { $id: '#q', type: 'string' } },
    properties: { a: { $ref: '#q' } },
  },
  { $ref: 3 },
]

describe('JSON Schema', () => {
  it('counts what a value is compared with', () => {
    const many = Array.from({ length: 1000 }, (_, i) => i)
    const match = JSON_SCHEMA['json.match_schema']!
    expect(() => match(contextOf(10_000), many, { items: { enum: many } })).toThrow(RangeError)
  })

  it('is checked with the words of OPA', async () => {
    const calls = SCHEMAS.map((schema) => ({ name: 'json.verify_schema', operands: [schema] }))
    expect(await differences(calls)).toEqual([])
  })

  it('finds in documents what OPA finds', async () => {
    const calls = SCHEMAS.flatMap((schema) =>
      DOCUMENTS.map((document) => ({ name: 'json.match_schema', operands: [document, schema] })),
    )
    expect(await differences(calls)).toEqual([])
  }, 60_000)

  it.each<[string, Value]>([
    ['to itself, which ends OPA', { $ref: '#' }],
    ['to another document, which OPA fetches', { $ref: 'http://schemas.example/a' }],
  ])('refuses a reference %s', (_name, schema) => {
    const context = contextOf()
    expect(JSON_SCHEMA['json.match_schema']!(context, {}, schema)).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })
})
