/**
 * The process that has the PKCS #11 library in it: one library, one token, one thing at a time. A library that hangs or breaks down takes nobody
 * along, and is ended when it is too late.
 */
import type { Answer, Ask, Failure, Operation, Operations } from './protocol.ts'
import { Token, TokenFailure } from './token.ts'

let token: Token | undefined

async function answer({ id, op, takes }: Ask): Promise<Answer> {
  try {
    return { id, gives: await run(op, takes) }
  } catch (error) {
    return { id, failure: failureOf(error) }
  }
}

async function run(op: Operation, takes: Ask['takes']): Promise<unknown> {
  if (op === 'open') {
    token = new Token(await sdk(), takes as Operations['open']['takes'])
    return { algorithms: token.algorithms }
  }
  if (token === undefined) throw new TokenFailure({ kind: 'odd' })
  // Each takes what belongs to its name: the asking side is typed by the same table.
  const operation = token[op] as (takes: Ask['takes']) => unknown
  return operation.call(token, takes)
}

async function sdk(): Promise<typeof import('pkcs11js')> {
  try {
    return (await import('pkcs11js')).default
  } catch {
    throw new TokenFailure({ kind: 'no_sdk' })
  }
}

/** No text of the library: it may say anything. */
function failureOf(error: unknown): Failure {
  if (error instanceof TokenFailure) return error.failure
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  const name = /^CKR_[A-Z0-9_]+/.exec(String(message))?.[0]
  return typeof code === 'number' && name !== undefined
    ? { kind: 'pkcs11', code, name }
    : { kind: 'odd' }
}

process.on('message', (ask: Ask) => {
  void answer(ask).then((told) => process.send?.(told))
})
// It ends with its parent and not before: the last signature comes after the signal that ends a server.
process.on('disconnect', () => process.exit(0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
