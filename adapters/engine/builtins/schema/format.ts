/** The keyword `format`. What is no text, or a format that nobody here knows, always holds. */
import type { Value } from '../../value/value.ts'
import { parseAddress } from '../net/address.ts'
import { isPattern } from '../patterns/compiled.ts'
import { parse } from '../time/parse.ts'
import { parseUri } from '../uri.ts'

export function hasFormat(format: string, value: Value): boolean {
  if (typeof value !== 'string' || !Object.hasOwn(FORMATS, format)) return true
  return FORMATS[format]!(value)
}

const follows =
  (...layouts: readonly string[]) =>
  (text: string): boolean =>
    layouts.some((layout) => parse(layout, text) !== undefined)

const isReference = (text: string): boolean => !text.includes('\\') && parseUri(text) !== undefined
const isUri = (text: string): boolean =>
  !text.includes('\\') && (parseUri(text)?.scheme ?? '') !== ''

/** An address, perhaps behind a name and in angle brackets; comments and domain literals are left out. */
function isEmail(text: string): boolean {
  const address = /^(?:[^<>@]*|"(?:[^"\\]|\\.)*"\s*)<([^<>]+)>\s*$/.exec(text)?.[1] ?? text.trim()
  return /^(?:[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+)*|"(?:[^"\\]|\\.)*")@[\w\-\u0080-\uffff!#$%&'*+/=?^`{|}~]+(?:\.[\w\-\u0080-\uffff!#$%&'*+/=?^`{|}~]+)*$/.test(
    address,
  )
}

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9])'
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: follows('2006-01-02'),
  time: follows('15:04:05Z07:00', '15:04:05'),
  'date-time': follows('15:04:05', '15:04:05Z07:00', '2006-01-02', '2006-01-02T15:04:05Z07:00'),
  hostname: (text) => text.length < 256 && HOSTNAME.test(text),
  email: isEmail,
  'idn-email': isEmail,
  ipv4: (text) => text.includes('.') && parseAddress(text) !== undefined,
  ipv6: (text) => text.includes(':') && parseAddress(text) !== undefined,
  uri: isUri,
  'uri-reference': isReference,
  iri: isUri,
  'iri-reference': isReference,
  'uri-template': (text) =>
    isReference(text) &&
    !/[{}]/.test((parseUri(text)?.path ?? '').replace(/\{[^}]*\}/g, '').replaceAll('}', '')),
  uuid: (text) => /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/i.test(text),
  regex: isPattern,
  'json-pointer': (text) => POINTER.test(text),
  'relative-json-pointer': (text) => {
    const [, rest] = /^(?:0|[1-9]\d*)(.*)$/s.exec(text) ?? []
    return rest !== undefined && (rest === '#' || POINTER.test(rest))
  },
}
