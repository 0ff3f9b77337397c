/** Parsers of text: JSON, its canonical form, UTF-8, configurations, terms of Rego. */

import { complete } from '../../../adapters/config/complete.ts'
import { parseConfig } from '../../../adapters/config/load.ts'
import { equal } from '../../../adapters/engine/value/order.ts'
import { parseTerm, writeTerm } from '../../../adapters/engine/value/term.ts'
import { canonicalJson } from '../../../core/canonical.ts'
import { ConfigError, JsonError } from '../../../core/error.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import { Payload } from '../../../core/request.ts'
import type { Target } from '../fuzz.ts'
import { looseText, parsed, same, textOf } from './kit.ts'

const JSON_SEEDS = [
  '{"a":[1,-2.5e3,true,false,null,"\\u00e9\\n"],"b":{"c":{}}}',
  '[[[["deep"]]],0,-0,1e21,9007199254740993,0.1]',
  '"\\ud83d\\ude00"',
  '{"":"","\\u0000":1}',
]
const JSON_TOKENS = [
  '{"',
  '":',
  '[',
  ']',
  ',',
  '\\u',
  '\\ud800',
  'null',
  'true',
  '1e',
  '-',
  '\ufeff',
  '"__proto__":',
  '1e400',
]

/** RFC 8785 in a few lines, for values that JSON.parse made. */
function reference(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(reference).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  const member = (name: string): string =>
    `${JSON.stringify(name)}:${reference((value as Record<string, unknown>)[name])}`
  return `{${names.map(member).join(',')}}`
}

const json: Target = {
  name: 'json',
  property:
    'what is read is what JSON.parse reads; bytes that are not UTF-8 are refused; only JsonError is thrown',
  files: /core\/(?:json|utf8)\.ts$/,
  seeds: JSON_SEEDS,
  tokens: JSON_TOKENS,
  check(bytes) {
    const got = parsed(() => parseJson(bytes), JsonError)
    if (got === undefined) return false
    same(got.value, JSON.parse(textOf(bytes) as string))
    same(parseJson(textOf(bytes) as string), got.value)
    return true
  },
}

const canonical: Target = {
  name: 'canonical-json',
  property: 'agrees with RFC 8785 written a second time; writing what it wrote changes nothing',
  files: /core\/(?:canonical|json)\.ts$/,
  seeds: JSON_SEEDS,
  tokens: JSON_TOKENS,
  check(bytes) {
    const got = parsed(() => parseJson(bytes), JsonError)
    const written = got && parsed(() => canonicalJson(got.value), JsonError)
    if (got === undefined || written === undefined) return false
    same(written.value, reference(got.value))
    same(canonicalJson(parseJson(written.value)), written.value)
    return true
  },
}

const payload: Target = {
  name: 'payload',
  property: 'a payload keeps its text to the byte, and reads as the strict parser reads it',
  files: /core\/(?:request|json|utf8)\.ts$/,
  seeds: JSON_SEEDS,
  tokens: JSON_TOKENS,
  check(bytes) {
    const text = textOf(bytes)
    if (text === undefined) return false
    const got = parsed(() => Payload.fromBytes(bytes), JsonError)
    if (got === undefined) return false
    same(got.value.text, text)
    same(Buffer.from(got.value.bytes), Buffer.from(bytes))
    const read = parsed(() => got.value.json(), JsonError)
    same(
      read,
      parsed(() => parseJson(bytes), JsonError),
    )
    return read !== undefined
  },
}

const config: Target = {
  name: 'config',
  property: 'refused with places in the text, or complete; the same again from its own JSON',
  files: /adapters\/config\/.*\.ts$/,
  seeds: [
    'origin: example.test/log\ndata: ./data\nstore:\n  kind: sqlite\nhttp: { port: 0 }\n',
    '{"plugins":["access",{"name":"audit","isolation":"worker"}],"seal":"durable"}',
    'policies: ./policies\nlimits:\n  maxGroup: 16 # few\n',
    'policies: { source: folder, dir: ./p, shadow: ./q, watch: false }\n',
  ],
  tokens: [
    '\n  ',
    ': ',
    '- ',
    '!!',
    '&a ',
    '*a',
    '---\n',
    '<<: ',
    '? ',
    '"',
    "'",
    '|\n',
    '%YAML',
    '{}',
    '[]',
    'http',
    'limits',
    'store',
  ],
  check(bytes) {
    const text = looseText(bytes)
    let written: ReturnType<typeof parseConfig>
    try {
      written = parseConfig(text, '/etc/assay.yaml')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      same(error.code, 'invalid_config')
      if (!/:\d+:\d+: /.test(error.message)) throw new Error('a problem without its place')
      return false
    }
    same(parseConfig(JSON.stringify(written), '/etc/assay.json'), written)
    complete(written, '/etc/assay.yaml')
    return true
  },
}

const term: Target = {
  name: 'rego-term',
  property: 'what was read is written so that it is read alike; only SyntaxError is thrown',
  files: /adapters\/engine\/value\/(?:term|number|value)\.ts$/,
  seeds: [
    '["a", 1, {"x", 2}]',
    '{"a": [1, null, true, set()], "b": {}}',
    '{[1]: {2}, {"k": -0.5e-7}: 12345678901234567890}',
    '{{}, set(), "\\u00e9\\n"}',
  ],
  tokens: ['set()', '["', '"]', '{', '}', ':', ', ', '\\"', '1e3', '1e400', '__proto__', 'null'],
  check(bytes) {
    const text = looseText(bytes)
    const got = parsed(() => parseTerm(text), SyntaxError)
    if (got === undefined) return false
    same(equal(parseTerm(writeTerm(got.value)), got.value), true)
    return true
  },
}

export const TEXT: readonly Target[] = [json, canonical, payload, config, term]
export type { Json }
