/**
 * What the command says, and where: answers on stdout, everything else on stderr. With `--json`, stdout holds JSON and nothing else,
 * errors included. Colour and progress appear on a terminal only; NO_COLOR (no-color.org) is respected.
 */
import { KernelError } from '../core/error.ts'

/** 0: allowed, valid, done. 1: denied, invalid. 2: usage or machinery. */
export type ExitCode = 0 | 1 | 2

export interface Writer {
  write(text: string): unknown
  readonly isTTY?: boolean
}
export interface Streams {
  readonly stdout: Writer
  readonly stderr: Writer
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A mistake in how the command was called, or something that it needs and that is not there. */
export class UsageError extends KernelError<'not_found' | 'usage'> {
  constructor(code: 'not_found' | 'usage', what: string) {
    super('cli', code, what)
  }
}

const COLOURS = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 } as const

export class Out {
  readonly json: boolean
  readonly #streams: Streams
  readonly #colour: boolean
  #progressShown = false

  constructor(streams: Streams, json: boolean) {
    const { NO_COLOR, TERM } = streams.env
    this.json = json
    this.#streams = streams
    this.#colour = streams.stdout.isTTY === true && !NO_COLOR && TERM !== 'dumb'
  }

  /** The answer: `value` with `--json`, else the text. */
  answer(value: object, text: string): void {
    this.#endProgress()
    const line = this.json ? JSON.stringify(value, undefined, 2) : text
    this.#streams.stdout.write(line.endsWith('\n') ? line : `${line}\n`)
  }

  /** One of several things that happen while a verb runs: a line of JSON each with `--json`. */
  event(value: object, text: string): void {
    this.#endProgress()
    this.#streams.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`)
  }

  /** What went on while the answer was made: on stderr. */
  note(text: string): void {
    this.#endProgress()
    this.#streams.stderr.write(`${text}\n`)
  }

  /** One line that is written over, on a terminal only. */
  progress(text: string): void {
    if (this.#streams.stderr.isTTY !== true) return
    this.#progressShown = true
    this.#streams.stderr.write(`\r\u001b[K${text}`)
  }

  error(error: unknown): void {
    this.#endProgress()
    const { code, message } = describe(error)
    if (this.json) {
      this.#streams.stdout.write(`${JSON.stringify({ error: { code, message } }, undefined, 2)}\n`)
    } else this.#streams.stderr.write(`assay: ${message}\n`)
  }

  colour(name: keyof typeof COLOURS, text: string): string {
    return this.#colour ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text
  }

  #endProgress(): void {
    if (this.#progressShown) this.#streams.stderr.write('\r\u001b[K')
    this.#progressShown = false
  }
}

/** System errors keep their own code; anything unforeseen is `internal`, with its stack for a report. */
function describe(error: unknown): { code: string; message: string } {
  if (error instanceof KernelError) return { code: error.code, message: error.message }
  if (!(error instanceof Error)) return { code: 'internal', message: String(error) }
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
    return { code: code.toLowerCase(), message: error.message }
  return { code: 'internal', message: error.stack ?? error.message }
}

/** Shows what came from outside without letting it drive the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** A policy as a reader tells it from others: its rules and its data, by the first digits of their digests. */
export function policyName(digest: string, revision: string): string {
  const [rules, data] = [digest, revision].map((name) => name.slice(0, 'sha256:'.length + 12))
  return `${rules} with data ${data}`
}
