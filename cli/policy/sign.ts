/** `assay policy sign` and `assay policy verify`: who stands behind a bundle. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Adapters } from '../../adapters/compose.ts'
import { DEFAULT_LIMITS, pack, readBundleAt } from '../../adapters/policies/bundle/archive.ts'
import {
  addLines,
  policyVkey,
  signWithKey,
  signWithToken,
} from '../../adapters/policies/bundle/sign.ts'
import type { TokenKey } from '../../adapters/policies/bundle/token.ts'
import type { Custody, PublicKey } from '../../core/ports/custody.ts'
import {
  contentDigest,
  type Files,
  readSignatures,
  SIGNATURES,
  type TokenAlgorithm,
} from '../../formats/bundle/index.ts'
import { bytesOf, configured, type PlaceOptions, writeOut } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'

export interface TokenOptions {
  readonly opaKey?: string
  readonly opaAlg: TokenAlgorithm
  readonly opaKeyId?: string
  readonly opaScope?: string
}
export interface SignOptions extends PlaceOptions, TokenOptions {
  readonly key?: string
  readonly detached?: string
  readonly add?: readonly string[]
}

/** 0: signed. */
export async function sign(options: SignOptions, out: Out, path: string): Promise<ExitCode> {
  const { add = [], detached, key } = options
  if (key === undefined && options.opaKey === undefined && add.length === 0)
    throw new UsageError('usage', 'with what? --key, --opa-key or --add')
  if (detached !== undefined && key === undefined)
    throw new UsageError('usage', '--detached writes the line of --key')
  let files = await readBundleAt(path, DEFAULT_LIMITS)
  const vkeys: string[] = []
  for (const file of add) files = addLines(files, await linesIn(file))
  if (key !== undefined)
    await withCustody(options, async (custody) => {
      const found = await activeKey(custody, key)
      files = await signWithKey(files, custody, found)
      vkeys.push(policyVkey(found))
    })
  const token = await tokenKey(options)
  if (token !== undefined) files = await signWithToken(files, token)
  const { assay = [], signatures = [] } = readSignatures(files.get(SIGNATURES))
  if (detached === undefined) await replace(path, files)
  else await writeOut(detached, `${assay.at(-1) ?? ''}\n`)
  const value = {
    content: contentDigest(files),
    keys: vkeys,
    lines: assay.length,
    token: signatures.length > 0,
  }
  const lines = vkeys.map((vkey) => `signed by ${vkey}`)
  out.answer(
    value,
    [
      ...lines,
      `${assay.length} policy ${assay.length === 1 ? 'key' : 'keys'} signed it${value.token ? ', and it has a token for OPA' : ''}`,
    ].join('\n'),
  )
  return 0
}

async function linesIn(file: string): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await bytesOf(file, 'a signature'))
  return text.split('\n').filter((line) => line !== '')
}

async function withCustody(
  options: PlaceOptions,
  work: (custody: Custody) => Promise<void>,
): Promise<void> {
  const adapters = new Adapters(await configured(options))
  try {
    await work(await adapters.get('custody'))
  } finally {
    await adapters.close()
  }
}

async function activeKey(custody: Custody, name: string): Promise<PublicKey> {
  const found = (await custody.list('policy')).findLast(
    (each) => each.name === name && each.state === 'active',
  )
  if (found !== undefined) return found
  throw new UsageError(
    'not_found',
    `there is no active key policy ${name}; assay key create policy ${name}, then assay key activate`,
  )
}

/** What `--opa-key` and its companions name. */
export async function tokenKey(options: TokenOptions): Promise<TokenKey | undefined> {
  const { opaAlg: algorithm, opaKey, opaKeyId, opaScope } = options
  if (opaKey === undefined) return undefined
  const pem = new TextDecoder().decode(await bytesOf(opaKey, 'the key'))
  return {
    pem,
    algorithm,
    ...(opaKeyId === undefined ? {} : { keyId: opaKeyId }),
    ...(opaScope === undefined ? {} : { scope: opaScope }),
  }
}

/** As a whole or not at all; in a folder only the signatures change. */
async function replace(path: string, files: Files): Promise<void> {
  const isFile = await readFile(path).then(
    () => true,
    () => false,
  )
  const [at, bytes] = isFile
    ? [path, await pack(files)]
    : [join(path, SIGNATURES), files.get(SIGNATURES) ?? new Uint8Array()]
  const next = `${at}.${process.pid}.tmp`
  await writeFile(next, bytes)
  await rename(next, at)
}
