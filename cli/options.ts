/** What several verbs share: their options, what the values of options may be, and how a verb becomes part of the tree. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExitCode, Out } from './out.ts'

/** What commander parsed has the types that the options' own parsers give. */
export type Verb = (options: never, out: Out, ...args: never[]) => Promise<ExitCode>
export interface Tree {
  add(parent: Command, name: string, description: string): Command
  act(command: Command, verb: Verb): void
}

export const jsonOption = (): Option => new Option('--json', 'machine-readable output on stdout')
export const dataOption = (): Option =>
  new Option('--data <folder>', 'the data folder (default: from the configuration, else .assay)')
export const realmOption = (): Option =>
  new Option('--realm <name>', "one of the configuration's realms (default: the server's own log)")
export const configOption = (): Option =>
  new Option('--config <file>', 'configuration, YAML or JSON')
export const trustOption = (): Option =>
  new Option('--trust <file>', 'trust anchor, obtained out of band').makeOptionMandatory()
/** Where what the server wrote itself will do too. */
export const anchorOption = (): Option =>
  new Option('--trust <file>', "trust anchor, obtained out of band (default: the data folder's)")

type Parse = (text: string) => number

export const whole =
  (min: number, max: number): Parse =>
  (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`)
  }
export const port: Parse = whole(0, 65_535)
export const percent: Parse = whole(0, 100)
export const version: Parse = whole(1, 999_999_999)

/** One that is read alike by JavaScript and by RE2, but for a few escapes that RE2 refuses later. */
export function pattern(text: string): string {
  try {
    return new RegExp(text, 'u').source
  } catch {
    throw new InvalidArgumentError('It is a regular expression such as access|hold_cases.')
  }
}

/** Unix seconds. */
export function instant(text: string): number {
  const ms = Date.parse(text)
  if (/^\d{4}-/.test(text) && Number.isFinite(ms) && ms >= 0) return Math.ceil(ms / 1000)
  throw new InvalidArgumentError('It is a time such as 2026-01-31T12:00:00Z.')
}
