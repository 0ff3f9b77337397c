/** What we say of a signature file is what the minisign program says of it: of our cases, of the shared ones, and of files at random. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  blake2b512,
  MAX_SIGNATURE_BYTES,
  type MinisignKey,
  readPublicKey,
  readPublicKeyFile,
  readSignature,
  verifySignature,
} from '../../formats/minisign/index.ts'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { CASES } from '../release/cases.ts'
import { Signer } from '../release/signer.ts'
import { minisignProgram } from '../tools.ts'

const run = promisify(execFile)
/** Hundreds of processes, on a machine that may be busy. */
const MINUTES = 300_000
const folder = mkdtempSync(join(tmpdir(), 'assay-minisign-'))
const [file, signatureFile] = [join(folder, 'file'), join(folder, 'file.minisig')]
let program: string
beforeAll(async () => {
  program = await minisignProgram()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the program says, in our words. */
const SAYINGS: readonly (readonly [RegExp, string])[] = [
  [/^Signature and comment signature verified/, 'valid'],
  [/^Comment signature verification failed/, 'trusted_comment_invalid'],
  [/^Signature verification failed/, 'signature_invalid'],
  [/^Signature key id in .* is/, 'key_id_mismatch'],
  [/^Unsupported signature algorithm/, 'unsupported_algorithm'],
  [/^Legacy \(non-prehashed\) signature found/, 'unsupported_algorithm'],
]

async function theirs(
  key: string,
  content: Uint8Array,
  signature: Uint8Array,
  ...more: string[]
): Promise<string> {
  writeFileSync(file, content)
  writeFileSync(signatureFile, signature)
  const args = ['-V', '-P', key, '-m', file, '-x', signatureFile, ...more]
  const { code, stderr, stdout } = await run(program, args, { encoding: 'latin1' }).then(
    (said) => ({ code: 0, ...said }),
    (error: { code: number; stderr: string; stdout: string }) => error,
  )
  const said = SAYINGS.find(([saying]) => saying.test(stderr.trim() || stdout.trim()))?.[1]
  expect(code === 0, stderr).toBe(said === 'valid')
  return said ?? 'malformed_signature'
}

function ours(key: MinisignKey, content: Uint8Array, file: Uint8Array): string {
  const signature = readSignature(file.subarray(0, MAX_SIGNATURE_BYTES))
  if ('problem' in signature) return signature.problem
  const signed = signature.algorithm === 'legacy' ? content : blake2b512(content)
  return verifySignature(signature, key, signed)
}

function keyOf(text: string): MinisignKey {
  const key = readPublicKey(text)
  if ('problem' in key) throw new Error(`a test's own key is ${key.problem}`)
  return key
}

test(
  'of our own cases',
  async () => {
    const seen = new Set<string>()
    for (const { name, pinned, release } of CASES) {
      const files = [
        [release.artifact, release.artifactSignature],
        [release.sums, release.sumsSignature],
      ] as const
      for (const [content, signature] of files) {
        if (content === undefined || signature === undefined) continue
        for (const { text } of pinned) {
          const said = await theirs(text, content, signature)
          expect([name, ours(keyOf(text), content, signature)]).toEqual([name, said])
          seen.add(said)
        }
      }
    }
    expect([...seen].sort()).toEqual([
      'key_id_mismatch',
      'malformed_signature',
      'signature_invalid',
      'trusted_comment_invalid',
      'unsupported_algorithm',
      'valid',
    ])
  },
  MINUTES,
)

test('of the shared releases', async (context) => {
  const manifest = fixture('minisign', 'manifest.json')
  if (manifest === undefined) return context.skip(FIXTURES_ABSENT)
  const { cases, keys } = JSON.parse(readFileSync(manifest, 'utf8'))
  for (const { dir, name, pinned_key } of cases) {
    const at = join(manifest, '..', dir)
    for (const signature of readdirSync(at).filter((each) => each.endsWith('.minisig'))) {
      const content = readFileSync(join(at, signature.replace(/\.minisig$/, '')))
      const bytes = readFileSync(join(at, signature))
      const said = await theirs(keys[pinned_key], content, bytes)
      expect([name, signature, ours(keyOf(keys[pinned_key]), content, bytes)]).toEqual([
        name,
        signature,
        said,
      ])
    }
  }
})

test('with -H it refuses the legacy signatures that a policy can refuse', async () => {
  const signer = new Signer('release')
  const content = new TextEncoder().encode('x')
  const legacy = signer.sign(content, { algorithm: 'legacy' })
  expect(await theirs(signer.text, content, legacy)).toBe('valid')
  expect(await theirs(signer.text, content, legacy, '-H')).toBe('unsupported_algorithm')
})

describe('at random', () => {
  const signer = new Signer('release')
  const key = keyOf(signer.text)
  const content = new TextEncoder().encode('some bytes')
  const whole = [
    signer.sign(content, { comment: 'timestamp:1 file:x' }),
    signer.sign(content, { algorithm: 'legacy' }),
    new Signer('spoofed', signer.keyId).sign(content),
  ]
  const special = [0x00, 0x0a, 0x0d, 0x20, 0x3d, 0x41, 0xff]
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 3 }),
    insert: fc.array(fc.oneof(fc.constantFrom(...special), fc.nat({ max: 255 })), { maxLength: 3 }),
  })
  const mutated = fc
    .record({
      of: fc.constantFrom(...whole),
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    })
    .map(({ edits, of }) => {
      const bytes = [...of]
      for (const { at, insert, remove } of edits)
        bytes.splice(at % (bytes.length + 1), remove, ...insert)
      return Uint8Array.from(bytes)
    })

  test(
    'a signature file with a few bytes changed',
    async () => {
      const property = fc.asyncProperty(mutated, async (bytes) => {
        expect(ours(key, content, bytes)).toBe(await theirs(signer.text, content, bytes))
      })
      await fc.assert(property, { numRuns: 400 })
    },
    MINUTES,
  )

  test(
    'a signature file cut anywhere',
    async () => {
      const [first] = whole as [Uint8Array, ...Uint8Array[]]
      for (let length = 0; length <= first.length; length++) {
        const bytes = first.subarray(0, length)
        expect([length, ours(key, content, bytes)]).toEqual([
          length,
          await theirs(signer.text, content, bytes),
        ])
      }
    },
    MINUTES,
  )
})

test('it reads our keys and we read its, and each verifies what the other signed', async () => {
  const [publicKey, secret] = [join(folder, 'k.pub'), join(folder, 'k.key')]
  await run(program, ['-G', '-W', '-f', '-p', publicKey, '-s', secret])
  const key = readPublicKeyFile(readFileSync(publicKey))
  if ('problem' in key) throw new Error(`its key is ${key.problem}`)
  const content = new TextEncoder().encode('signed by the program')
  for (const [option, algorithm] of [
    ['-H', 'prehashed'],
    ['-l', 'legacy'],
  ] as const) {
    writeFileSync(file, content)
    await run(program, ['-S', option, '-s', secret, '-m', file, '-x', signatureFile])
    const bytes = readFileSync(signatureFile)
    expect(readSignature(bytes)).toMatchObject({ algorithm })
    expect(ours(key, content, bytes)).toBe('valid')
  }
})
