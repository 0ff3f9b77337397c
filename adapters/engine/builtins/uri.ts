/**
 * URIs as Go's `net/url` reads them.
 *
 * @see https://pkg.go.dev/net/url#Parse, RFC 3986, RFC 6874
 */
import type { Value } from '../value/value.ts'
import { type Family, fail } from './builtin.ts'
import { parseWritten } from './net/address.ts'
import { bytesOf, onTexts, textOf } from './texts.ts'

/** What Go's `url.URL` has. */
export interface Uri {
  readonly forceQuery: boolean
  readonly hasUser: boolean
  readonly omitHost: boolean
  readonly opaque: string
  /** Empty where it is the fragment as Go writes it. */
  readonly rawFragment: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly rawPath: string
  readonly query: string
  readonly fragment: string
}

class Malformed extends Error {}

/** Undefined for what is no URI. */
export function parseUri(text: string): Uri | undefined {
  try {
    return parsed(text)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

function parsed(text: string): Uri {
  const [before, hash] = cut(text, '#')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no URI has
  if (/[\0-\x1f\x7f]/.test(before)) throw new Malformed()
  const fragment = decode(hash)
  const [scheme, afterScheme] = schemeOf(before)
  const [rest, query] = cut(afterScheme, '?')
  const none: Uri = {
    scheme,
    host: '',
    path: '',
    rawPath: '',
    query,
    fragment,
    opaque: '',
    hasUser: false,
    omitHost: scheme !== '' && /^\/(?!\/)/.test(rest),
    forceQuery: query === '' && afterScheme.endsWith('?'),
    rawFragment: hash === escapeFragment(decodeBytes(hash)) ? '' : hash,
  }
  if (before === '*') return { ...none, path: '*', rawPath: '*', query: '' }
  if (!rest.startsWith('/')) {
    // Opaque, such as mailto:ada@example.org.
    if (scheme !== '') return { ...none, opaque: rest }
    if (rest.split('/', 1)[0]?.includes(':')) throw new Malformed()
  }
  const hasHost = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))
  const authority = hasHost ? /^[^/]*/.exec(rest.slice(2))![0] : ''
  const host = hasHost ? hostOf(scheme, authority) : ''
  const written = hasHost ? rest.slice(2 + authority.length) : rest
  const bytes = decodeBytes(written)
  const path = textOf(bytes)
  const hasUser = authority.includes('@')
  const rawPath = written === escapePath(bytes) ? path : written
  return { ...none, host, hasUser, path, rawPath }
}

function cut(text: string, at: string): readonly [before: string, after: string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function schemeOf(text: string): readonly [scheme: string, rest: string] {
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text) ?? []
  if (scheme !== undefined) return [scheme.toLowerCase(), text.slice(scheme.length + 1)]
  if (text.startsWith(':')) throw new Malformed()
  return ['', text]
}

function hostOf(scheme: string, authority: string): string {
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  const user = authority.slice(0, Math.max(at, 0))
  if (!/^[\w.\-:~!$&'()*+,;=%@]*$/.test(user)) throw new Malformed()
  decode(user)
  return host
}

function parseHost(scheme: string, host: string): string {
  const bracket = host.lastIndexOf('[')
  if (bracket > 0) throw new Malformed()
  if (bracket === 0) return literal(host)
  const colon = scheme === 'http' || scheme === 'https' ? host.indexOf(':') : host.lastIndexOf(':')
  if (colon >= 0 && !isPort(host.slice(colon))) throw new Malformed()
  return unescapeHost(host)
}

/** An IPv6 address in brackets, perhaps with a zone. */
function literal(host: string): string {
  const close = host.lastIndexOf(']')
  const port = host.slice(close + 1)
  if (close < 0 || !isPort(port)) throw new Malformed()
  const inner = host.slice(1, close)
  const zone = inner.indexOf('%25')
  const address = unescapeHost(zone < 0 ? inner : inner.slice(0, zone))
  const zoneText = zone < 0 ? '' : unescapeZone(inner.slice(zone))
  const [ip, ...zones] = `${address}${zoneText}`.split('%')
  if (parseWritten(ip!)?.bits !== 128 || (zones.length > 0 && zones.join('%') === ''))
    throw new Malformed()
  return `[${address}${zoneText}]${port}`
}

function isPort(text: string): boolean {
  return /^(?::\d*)?$/.test(text)
}

/** What a host has as it is, beyond ASCII anything. */
const HOST = /^[\w!"$&'()*+,\-.:;<=>[\]~]$/

function unescapeHost(text: string): string {
  if (/%(?!25)[0-7]/.test(text)) throw new Malformed()
  refuse(text.replace(/%[0-9a-fA-F]{2}/g, ''), HOST)
  return decode(text)
}

function unescapeZone(text: string): string {
  for (const [, hex = ''] of text.matchAll(/%(?!25)([0-9a-fA-F]{2})/g)) {
    const byte = Number.parseInt(hex, 16)
    if (byte !== 0x20 && (byte >= 0x80 || !HOST.test(String.fromCharCode(byte))))
      throw new Malformed()
  }
  refuse(text.replace(/%[0-9a-fA-F]{2}/g, ''), HOST)
  return decode(text)
}

function refuse(text: string, allowed: RegExp): void {
  for (const char of text)
    if (char < '\x80' && char !== '%' && !allowed.test(char)) throw new Malformed()
}

function decode(text: string): string {
  return textOf(decodeBytes(text))
}

function decodeBytes(text: string): Uint8Array {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new Malformed()
  if (!text.includes('%')) return bytesOf(text)
  const bytes: number[] = []
  for (const [part, hex] of text.matchAll(/%([0-9a-fA-F]{2})|[^%]+/g))
    if (hex === undefined) for (const byte of bytesOf(part)) bytes.push(byte)
    else bytes.push(Number.parseInt(hex, 16))
  return Uint8Array.from(bytes)
}

/** As Go would write the path. */
function escapePath(path: Uint8Array): string {
  return escaped(path, /[\w$&+,\-./:;=@~]/)
}

function escapeFragment(fragment: Uint8Array): string {
  return escaped(fragment, /[\w!$&()*+,\-./:;=?@~]/)
}

function escaped(bytes: Uint8Array, plain: RegExp): string {
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte)
    return plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** The members of Go's JSON of a URL. */
export function uriFields(uri: Uri): Value {
  return {
    ForceQuery: uri.forceQuery,
    Fragment: uri.fragment,
    Host: uri.host,
    OmitHost: uri.omitHost,
    Opaque: uri.opaque,
    Path: uri.path,
    RawFragment: uri.rawFragment,
    RawPath: uri.rawPath === uri.path ? '' : uri.rawPath,
    RawQuery: uri.query,
    Scheme: uri.scheme,
    User: uri.hasUser ? {} : null,
  }
}

function members(uri: Uri): Value {
  const [, bare = uri.host, port = ''] = /^(.*):(\d*)$/s.exec(uri.host) ?? []
  const hostname = bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare
  const all: Readonly<Record<string, string>> = {
    scheme: uri.scheme,
    hostname,
    port,
    path: uri.path,
    raw_path: uri.path === '' ? '' : uri.rawPath,
    raw_query: uri.query,
    fragment: uri.fragment,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

export const URI: Family = {
  'uri.parse': onTexts((context, text = '') => {
    const uri = parseUri(text)
    return uri === undefined ? fail(context, 'not a URI') : members(uri)
  }),
  /** OPA does not count the empty reference. */
  'uri.is_valid': (_context, text: Value) =>
    typeof text === 'string' && text !== '' && parseUri(text) !== undefined,
}
