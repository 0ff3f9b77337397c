/** What a configuration says about secrets: where they lie, and that they are always encrypted and never beside the keys. */
import { expect, test } from 'vitest'
import { ConfigError } from '../../core/error.ts'
import { type Config, complete } from './complete.ts'
import { parseConfig } from './load.ts'

const FILE = '/etc/assay/assay.yaml'
const read = (text: string): Config => complete(parseConfig(text, FILE), FILE)
function refused(text: string): boolean {
  try {
    read(text)
    return false
  } catch (error) {
    return error instanceof ConfigError && error.code === 'invalid_config'
  }
}

test('there is no place for any by default', () => {
  expect(read('data: d')).not.toHaveProperty('secrets')
})

test('they lie beside the data, with paths made absolute', () => {
  expect(read('{data: d, secrets: {kind: file, keyFile: k}}').secrets).toEqual({
    kind: 'file',
    dir: '/etc/assay/d/secrets',
    keyFile: '/etc/assay/k',
  })
  expect(read('secrets: {kind: file, dir: s, passphraseFile: p}').secrets).toEqual({
    kind: 'file',
    dir: '/etc/assay/s',
    passphraseFile: '/etc/assay/p',
  })
})

test.each([
  ['no encryption', 'secrets: {kind: file}'],
  ['two of them', 'secrets: {kind: file, keyFile: k, passphraseFile: p}'],
  ['the folder of the keys', '{data: d, secrets: {kind: file, keyFile: k, dir: d/keys}}'],
  ['a kind that there is not', 'secrets: {kind: ftp}'],
])('it is refused with %s', (_, text) => {
  expect(refused(text)).toBe(true)
})

test('a realm has a place of its own', () => {
  const own = 'secrets: {kind: file, keyFile: k, dir: s}'
  expect(read(`{${own}, realms: {a: {data: a}}}`).realms.a).not.toHaveProperty('secrets')
  expect(refused(`{${own}, realms: {a: {data: a, ${own}}}}`)).toBe(true)
})
