/** `assay decide` and `assay check`: one request, in this process, asked by whoever holds the data folder. */
import { userInfo } from 'node:os'
import { type Composed, compose } from '../adapters/compose.ts'
import type { Submission } from '../core/kernel.ts'
import { Payload } from '../core/request.ts'
import type { Reason } from '../core/verdict.ts'
import { bytesOf, configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable } from './out.ts'

export interface DecideOptions extends PlaceOptions {
  readonly action: string
  readonly payload: string
}

/** 0: allowed, 1: denied. */
export function decide(options: DecideOptions, out: Out): Promise<ExitCode> {
  return ask(options, async ({ kernel }, submission) => {
    const { id, allow, reasons, obligations, output, seal, index } = await kernel.decide(submission)
    const value = { id, allow, reasons, obligations, output, seal, index }
    const place = index === undefined ? 'no place in the log yet' : `leaf ${index}`
    out.answer(value, `${words(allow, reasons, out)}\ndecision ${id}, ${place}, ${seal}`)
    return allow ? 0 : 1
  })
}

/** 0: it would be allowed, 1: denied. */
export function check(options: DecideOptions, out: Out): Promise<ExitCode> {
  return ask(options, async ({ kernel }, submission) => {
    const { allow, reasons, obligations, output } = await kernel.check(submission)
    const value = { dry_run: true, allow, reasons, obligations, output }
    out.answer(value, `${words(allow, reasons, out)}\na dry run: nothing was decided`)
    return allow ? 0 : 1
  })
}

async function ask(
  options: DecideOptions,
  put: (composed: Composed, submission: Submission) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { action } = options
  const payload = Payload.fromBytes(await payloadBytes(options.payload))
  const peer = { kind: 'operator', id: operator() }
  const composed = await compose(await configured(options), { watch: false })
  try {
    return await put(composed, { action, payload, peer })
  } finally {
    await composed.close()
  }
}

/** JSON text is recognised by how it begins; a file with such a name can be given as ./name. */
async function payloadBytes(given: string): Promise<Uint8Array> {
  if (/^\s*[[{"]/.test(given)) return new TextEncoder().encode(given)
  return bytesOf(given, 'the payload')
}

/** Who holds the data folder. */
export function operator(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user that has no name.
    return `uid-${process.getuid?.() ?? 0}`
  }
}

export function words(allow: boolean, reasons: readonly Reason[], out: Out): string {
  const verdict = allow ? out.colour('green', 'allowed') : out.colour('red', 'denied')
  const lines = reasons.map(({ code, message, rule }) =>
    printable(`  ${code}${message === '' ? '' : `: ${message}`} (${rule})`),
  )
  return [verdict, ...lines].join('\n')
}
