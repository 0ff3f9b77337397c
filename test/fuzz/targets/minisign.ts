/** What lies beside an artifact: signature files, key files, listings, trusted comments. */
import {
  blake2b512,
  commentText,
  digestsFor,
  publicKeyFile,
  readComment,
  readPublicKeyFile,
  readSignature,
  readVersion,
  signatureFile,
  verifySignature,
} from '../../../formats/minisign/index.ts'
import { Signer } from '../../release/signer.ts'
import type { Target } from '../fuzz.ts'
import { looseText, same } from './kit.ts'

const signer = new Signer('fuzz')
const content = new TextEncoder().encode('an artifact')
const own = readPublicKeyFile(signer.file)
if ('problem' in own) throw new Error(`the key of the fuzz target is ${own.problem}`)
const key = own
const comments = ['timestamp:1 file:x version:1.0 hashed', 'timestamp:1\tfile:x', '']
const genuine = comments.flatMap((comment) =>
  (['prehashed', 'legacy'] as const).map((algorithm) =>
    signer.sign(content, { algorithm, comment }),
  ),
)

const signature: Target = {
  name: 'minisign',
  property:
    'a signature file is written and read again as the same one; only what the key signed verifies, with what it stated',
  files: /formats\/minisign\/(lines|signature|verify)\.ts$/,
  seeds: genuine,
  tokens: ['untrusted comment: ', 'trusted comment: ', 'RUT', 'RWR', '==\n', '\r\n', '\0'],
  check(bytes) {
    const read = readSignature(bytes)
    if ('problem' in read) return false
    same(readSignature(signatureFile(read)), read)
    const signed = read.algorithm === 'legacy' ? content : blake2b512(content)
    if (verifySignature(read, key, signed) === 'valid')
      same(comments.includes(commentText(read.trustedComment)), true)
    return true
  },
}

const keyFile: Target = {
  name: 'minisign-key',
  property: 'a key file is written and read again as the same key',
  files: /formats\/minisign\/(key|lines)\.ts$/,
  seeds: [signer.file, new Signer('another').file],
  tokens: ['untrusted comment: ', 'RW', '\r\n', '\0'],
  check(bytes) {
    const read = readPublicKeyFile(bytes)
    if ('problem' in read) return false
    const { keyId, key } = read
    const again = readPublicKeyFile(
      new TextEncoder().encode(publicKeyFile({ keyId, publicKey: key.publicKey })),
    )
    same('problem' in again ? again : { ...again.key, keyId: again.keyId }, { ...key, keyId })
    return true
  },
}

const NAME = 'grafos.tar.gz'
const digest = 'ab'.repeat(32)

const sums: Target = {
  name: 'sha256sums',
  property: 'a digest is that of a line which ends in the name, and in nothing else',
  files: /formats\/minisign\/sums\.ts$/,
  seeds: [`${digest}  ${NAME}\n`, `${digest} *${NAME}\r\n${digest}  other\n`],
  tokens: [NAME, '  ', ' *', '\r\n', '\\', '/'],
  check(bytes) {
    const found = digestsFor(bytes, NAME)
    const named = looseText(bytes)
      .split('\n')
      .map((line) => line.replace(/\r$/, ''))
      .filter((line) => line.endsWith(`  ${NAME}`) || line.endsWith(` *${NAME}`))
      .map((line) => line.slice(0, -NAME.length - 2).toLowerCase())
    same(
      found.every((each) => named.includes(each)),
      true,
    )
    return found.length > 0
  },
}

const comment: Target = {
  name: 'trusted-comment',
  property:
    'what a comment states stands in it once; a version is read the same again and is not before itself',
  files: /formats\/minisign\/(comment|version)\.ts$/,
  seeds: [...comments, 'version:1.2.3-rc.1+5', 'file:x file:y timestamp:01'],
  tokens: ['timestamp:', 'file:', 'version:', '\t', '1.0', '-rc.', '+'],
  check(bytes) {
    const text = looseText(bytes)
    const { file, timestamp, unclear, version } = readComment(text)
    if (file !== undefined) same(text.split(`file:${file}`).length >= 2, true)
    if (timestamp !== undefined) same(text.includes(`timestamp:${timestamp}`), true)
    if (version !== undefined) same(readVersion(version.text), version)
    for (const name of unclear) same(text.includes(`${name}:`), true)
    return version !== undefined
  },
}

export const MINISIGN: readonly Target[] = [signature, keyFile, sums, comment]
