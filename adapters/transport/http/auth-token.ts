/** The header `Authorization: Bearer`, and tokens that are known in advance (RFC 6750, 2.1). */
import { fromHex, sameBytes, sha256Text } from '../../../core/crypto.ts'
import { Refusal } from './answer.ts'
import type { Identity } from './auth.ts'
import { type BearerMethod, invalid } from './auth-options.ts'
import { type Contents, type FileWatch, watchFiles } from './watched-files.ts'

/** Longer ones are refused before anything looks at them. */
export const MAX_TOKEN = 8192
const BEARER = /^bearer +([\x21-\x7e]+)$/i
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/

/**
 * The token of a request, from every line that the header came in; undefined where there is none.
 *
 * @throws Refusal `invalid_header` when there are several, or it is too long; `invalid_token` when it is of another scheme, or no token
 */
export function readBearer(lines: readonly string[]): string | undefined {
  const [line, ...more] = lines
  if (line === undefined) return undefined
  if (more.length > 0) throw new Refusal('invalid_header', 'authorization came more than once')
  if (line.length > MAX_TOKEN + 'bearer '.length)
    throw new Refusal('invalid_header', `a token has at most ${MAX_TOKEN} characters`)
  const token = BEARER.exec(line)?.[1]
  if (token === undefined || !TOKEN68.test(token))
    throw new Refusal('invalid_token', 'send Authorization: Bearer with one token')
  return token
}

/** By the token's place in the list. */
type Files = Readonly<Record<string, string>>

interface Known {
  readonly digest: Uint8Array
  readonly identity: Identity
}

/** The tokens that a configuration names. */
export class StaticTokens {
  readonly #method: BearerMethod
  readonly #watch: FileWatch<Files>
  #known: readonly Known[]

  private constructor(method: BearerMethod, watch: FileWatch<Files>, known: readonly Known[]) {
    this.#method = method
    this.#watch = watch
    this.#known = known
  }

  /** @throws TransportError `invalid_options` */
  static async open(
    method: BearerMethod,
    onChange: (error?: unknown) => void,
    everyMs?: number,
  ): Promise<StaticTokens> {
    const files = method.tokens.flatMap((token, i) => ('file' in token ? [[i, token.file]] : []))
    const paths: Files = Object.fromEntries(files)
    const watch = await watchFiles(paths, { everyMs }).catch((cause) => {
      throw invalid('a token file cannot be read', cause)
    })
    try {
      const tokens = new StaticTokens(method, watch, readKnown(method, watch.contents))
      watch.onChange = (contents) => tokens.#change(contents, onChange)
      return tokens
    } catch (error) {
      watch.close()
      throw error
    }
  }

  /** Compares with every one of them, each in constant time. */
  find(token: string): Identity | undefined {
    const digest = sha256Text(token)
    let found: Identity | undefined
    for (const known of this.#known) if (isSame(known.digest, digest)) found = known.identity
    return found
  }

  close(): void {
    this.#watch.close()
  }

  #change(contents: Contents<Files>, onChange: (error?: unknown) => void): void {
    try {
      this.#known = readKnown(this.#method, contents)
      onChange()
    } catch (error) {
      onChange(error)
    }
  }
}

function readKnown({ tokens }: BearerMethod, contents: Contents<Files>): readonly Known[] {
  const known = tokens.map((token, i): Known => {
    const { peer, realm } = token
    const digest = 'sha256' in token ? readDigest(token.sha256) : digestOf(contents[String(i)])
    return { digest, identity: { peer, ...(realm === undefined ? {} : { realm }) } }
  })
  if (
    known.some((one, i) => known.some((other, j) => j < i && sameBytes(one.digest, other.digest)))
  )
    throw invalid('two peers have the same token')
  return known
}

function readDigest(text: string): Uint8Array {
  const digest = fromHex(text)
  if (digest?.length === 32) return digest
  throw invalid('sha256 is 64 lower-case hex digits')
}

/** The line end that editors leave is no part of it. */
function digestOf(content: Buffer | undefined): Uint8Array {
  const token = String(content ?? '').replace(/\r?\n$/, '')
  if (token.length >= 20 && token.length <= MAX_TOKEN && TOKEN68.test(token))
    return sha256Text(token)
  throw invalid('a token file holds one token: 20 or more letters, digits, and . _ ~ + / -')
}

/** Both have 32 bytes; the time that it takes does not depend on what they are. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}
