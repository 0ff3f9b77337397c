/** Parsers of what clients, proxies and operators hand over: headers, paths, archives, key files, whole requests. */
import { createHmac } from 'node:crypto'
import { isIP } from 'node:net'
import { decodeHeader } from '../../../adapters/custody/file/header.ts'
import { decodeKey, encodeKey, generateKey } from '../../../adapters/custody/file/key.ts'
import { openMemory } from '../../../adapters/store/memory/index.ts'
import { Refusal } from '../../../adapters/transport/http/answer.ts'
import { readBearer } from '../../../adapters/transport/http/auth-token.ts'
import { readTarget } from '../../../adapters/transport/http/forward-path.ts'
import { isObject } from '../../../adapters/transport/http/frame.ts'
import { evaluationPayload, partsOf } from '../../../adapters/transport/http/model.ts'
import { readAddress } from '../../../adapters/transport/http/source.ts'
import { BundleError, CustodyError, JsonError, NoDecision } from '../../../core/error.ts'
import { parseJson } from '../../../core/json.ts'
import { KEY_ALGORITHMS } from '../../../core/ports/custody.ts'
import { PageTokens } from '../../../core/search/pagetoken.ts'
import { readPatch, writePatch } from '../../../formats/bundle/patch.ts'
import { BundleRefusal } from '../../../formats/bundle/refusal.ts'
import { readTar, safePath } from '../../../formats/bundle/tar.ts'
import type { Target } from '../fuzz.ts'
import { looseText, parsed, same } from './kit.ts'

const target: Target = {
  name: 'request-target',
  property: 'what is read has one reading: the platform\u2019s own URL parser sees the same path',
  files: /http\/forward-path\.ts$/,
  seeds: ['/a/b?c=d&c=e', '/a%20b/', '/%e4%bd%a0?x=%26', '/files/report.pdf'],
  tokens: [
    '%2f',
    '%2e',
    '..',
    './',
    '//',
    '%25',
    ';',
    '\\',
    '%c0%af',
    '\uff0f',
    '?',
    '&',
    '=',
    '%00',
  ],
  check(bytes) {
    const text = looseText(bytes)
    const got = parsed(() => readTarget(text), Refusal)
    if (got === undefined) return false
    const { path } = got.value
    const url = new URL(text, 'http://host.test')
    same(url.host, 'host.test')
    same(decodeURIComponent(url.pathname), path)
    if (/(?:^|\/)\.{1,2}(?:\/|$)|\/\/|\\/.test(path)) throw new Error('a path with two readings')
    return true
  },
}

const address: Target = {
  name: 'forwarded-for',
  property: 'an address, as the platform knows them, or nothing',
  files: /http\/source\.ts$/,
  seeds: ['192.0.2.1', '192.0.2.1:8080', '[2001:db8::1]:443', '::ffff:192.0.2.1', 'fe80::1%eth0'],
  tokens: ['::', ':', '.', '[', ']', '%', '0x', ' ', 'ffff'],
  check(bytes) {
    const got = readAddress(looseText(bytes))
    if (got === undefined) return false
    if (isIP(got) === 0) throw new Error('no address')
    same(readAddress(got), got)
    return true
  },
}

const bearer: Target = {
  name: 'authorization',
  property: 'a token is visible ASCII that stands in the header; two headers are refused',
  files: /http\/auth-token\.ts$/,
  seeds: ['Bearer abc.def-ghi', 'bearer   x=', 'Basic dTpw'],
  tokens: ['Bearer ', 'bearer', ' ', '=', '~', ','],
  check(bytes) {
    const line = looseText(bytes)
    if (parsed(() => readBearer([line, line]), Refusal)) throw new Error('two are one')
    const got = parsed(() => readBearer([line]), Refusal)
    if (got?.value === undefined) return false
    if (!line.endsWith(got.value) || !/^[\x21-\x7e]+$/.test(got.value))
      throw new Error('not the token')
    return true
  },
}

const evaluation: Target = {
  name: 'authzen-body',
  property:
    'a payload with the members that the body has, or a Refusal; nothing else of the body gets in',
  files: /http\/(?:model|frame)\.ts$/,
  seeds: [
    '{"subject":{"type":"user","id":"ada"},"action":{"name":"read"},"resource":{"type":"doc","id":"1"},"context":{"a":1}}',
    '{"subject":{"type":"user","id":"ada","properties":{"x":[]}},"action":{"name":"read","properties":{}},"resource":{"type":"doc","id":"1"},"other":1}',
  ],
  tokens: ['"subject":', '"properties":', '"type":', '"id":', 'null', '{}', '[]', '"context":'],
  check(bytes) {
    const body = parsed(() => parseJson(bytes), JsonError)
    if (body === undefined || !isObject(body.value)) return false
    const members = body.value
    const got = parsed(() => evaluationPayload(partsOf(members)), Refusal)
    if (got === undefined) return false
    const made = got.value.json() as Record<string, Record<string, unknown>>
    const given = members as Record<string, Record<string, unknown>>
    for (const name of Object.keys(made))
      if (!['action', 'context', 'resource', 'subject'].includes(name))
        throw new Error(`a member ${name}`)
    same(made.subject?.id, given.subject?.id)
    same(made.resource?.type, given.resource?.type)
    same(made.action?.name, given.action?.name)
    return true
  },
}

const keys = KEY_ALGORITHMS.map((one) => generateKey(one, '2026-01-01T00:00:00Z'))
const keyFile: Target = {
  name: 'key-file',
  property: 'a key whose halves belong together, and that is written again as the same key',
  files: /custody\/file\/key\.ts$/,
  seeds: keys.map(encodeKey),
  tokens: ['"kty":', '"OKP"', '"EC"', '"d":', '"x":', '"y":', '"state":', '"active"', 'AAAA', '_'],
  check(bytes) {
    const got = parsed(() => decodeKey('key', bytes), CustodyError)
    if (got === undefined) return false
    const again = decodeKey('key', encodeKey(got.value))
    same([again.state, again.created], [got.value.state, got.value.created])
    const known = keys.find(({ algorithm }) => algorithm === again.algorithm)
    same(Buffer.from(again.publicKey), Buffer.from(known?.publicKey ?? []))
    return true
  },
}

const header = {
  format: 'assay-keys-1',
  derivation: { name: 'scrypt', N: 131_072, r: 8, p: 1, salt: 'AAAAAAAAAAAAAAAAAAAAAA' },
  sealed: 'AAAA',
}
const keyHeader: Target = {
  name: 'key-header',
  property: 'a derivation that is neither weak nor more than a machine pays',
  files: /custody\/file\/header\.ts$/,
  seeds: [header, { ...header, derivation: { ...header.derivation, name: 'hkdf-sha256' } }].map(
    (one) => Buffer.from(JSON.stringify(one)),
  ),
  tokens: ['"N":', '"p":', '"r":', '"salt":', '"scrypt"', '"hkdf-sha256"', '1048576', '1e9', '-1'],
  check(bytes) {
    const got = parsed(() => decodeHeader('header', bytes), CustodyError)
    if (got === undefined) return false
    const { derivation } = got.value
    if (derivation.name === 'hkdf-sha256') return true
    const { N, p, r } = derivation
    same([N >= 2 ** 17, N <= 2 ** 20, r, [1, 2, 3, 4].includes(p)], [true, true, 8, true])
    return true
  },
}

function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        0ustar\u000000', 148)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512)
    body.write(text)
    return [header, body]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** Makes the sums of all headers right, so that what is behind them is reached. */
function summed(bytes: Uint8Array): Uint8Array {
  const made = Buffer.from(bytes)
  for (let at = 0; at + 512 <= made.length; at += 512) {
    const header = made.subarray(at, at + 512)
    if (header.toString('latin1', 257, 262) !== 'ustar') continue
    header.write('        ', 148)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  }
  return made
}

const tar: Target = {
  name: 'tar',
  property:
    'every file lies in the archive and has a name that leads nowhere else; only BundleError is thrown',
  files: /formats\/bundle\/tar\.ts$/,
  seeds: [
    tarOf({ '/policy.rego': 'package a', 'data.json': '{}' }),
    tarOf({ 'a/bb/cc/d.rego': 'x'.repeat(600) }),
  ],
  tokens: ['../', '/', 'ustar', '00000000010', '\u0000', 'x', 'g', '12 path=a\n', '5', '2'],
  check(bytes) {
    const archive = summed(bytes)
    const got = parsed(() => readTar(archive), BundleError)
    if (got === undefined) return false
    let total = 0
    for (const [path, body] of got.value) {
      total += body.length
      same(safePath(path), path)
      if (path.startsWith('/') || path.split('/').includes('..')) throw new Error('it leads out')
    }
    if (total > archive.length) throw new Error('more than there is')
    return got.value.size > 0
  },
}

const written = (path: string): string =>
  JSON.stringify({
    data: [
      { op: 'upsert', path, value: { a: 1 } },
      { op: 'remove', path },
    ],
  })
const patch: Target = {
  name: 'delta-patch',
  property:
    'what is read of a patch is what is read of it once it is written; only a refusal is thrown',
  files: /formats\/bundle\/patch\.ts$/,
  seeds: [written('/a/b~1c/~0'), written('a//%25/ü/')],
  tokens: ['/', '//', '~0', '~1', '~2', '%2F', '%7E', '%', '"upsert"', '"replace"', '"remove"'],
  check(bytes) {
    const got = parsed(() => readPatch(bytes, 1_000_000), BundleRefusal)
    if (got === undefined) return false
    for (const { path } of got.value) if (path.length === 0) throw new Error('it is the root')
    same(readPatch(writePatch(got.value), 2_000_000), got.value)
    return true
  },
}

const tokens = new PageTokens(openMemory().store)
const PLACE = { cursor: 'user/ada', limit: 10 }
const BOUND = { query: 'x' }
const sealed = await tokens.seal(PLACE, BOUND)
const pageToken: Target = {
  name: 'page-token',
  property: 'only a token that was sealed opens, for what it was sealed for',
  files: /core\/search\/pagetoken\.ts$/,
  seeds: [sealed, createHmac('sha256', 'x').update('y').digest('base64url')],
  tokens: ['A', '_', '-', '='],
  async check(bytes) {
    const text = looseText(bytes)
    const opened = await tokens.unseal(text, BOUND).catch((error: unknown) => {
      if (error instanceof NoDecision && error.code === 'invalid_page_token') return undefined
      throw error
    })
    if (opened === undefined) return false
    same([text, opened], [sealed, PLACE])
    return true
  },
}

export const DOORS: readonly Target[] = [
  target,
  address,
  bearer,
  evaluation,
  keyFile,
  keyHeader,
  tar,
  patch,
  pageToken,
]
