/**
 * One configuration file, YAML or JSON, to a complete configuration: every default is here, every path absolute. Nothing is opened but
 * the file itself. Every refusal is a ConfigError that names file, line and column.
 */
import { readFile } from 'node:fs/promises'
import { extname, isAbsolute, relative, resolve } from 'node:path'
import { ConfigError, type ConfigProblem, JsonError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { type Config, complete } from './complete.ts'
import { parseDocumentText } from './document.ts'
import type { ConfigFile } from './file.ts'
import { describeIssues } from './problems.ts'
import { configSchema } from './schema.ts'

export interface LoadOptions {
  /** Without it: the embedded defaults. */
  readonly file?: string
  /** The data folder; wins over the file's `data`. Default `.assay` in the working directory. */
  readonly data?: string
  /** Where compiled policies are kept; the file wins. Default `compiled` in the data folder. */
  readonly compiled?: string
}

/** @throws ConfigError `not_found`, `invalid_config` */
export async function loadConfig(options: LoadOptions = {}): Promise<Config> {
  const file = options.file === undefined ? undefined : resolve(options.file)
  const written = file === undefined ? {} : parseConfig(await readText(file), file)
  return complete(written, file, options)
}

/** Checks the text of a configuration file. `file` is only named in errors. @throws ConfigError `invalid_config` */
export function parseConfig(text: string, file: string): ConfigFile {
  const shown = shortName(file)
  const located = parseDocumentText(text)
  if ('problems' in located)
    throw refusal(located.problems.map(({ message, at }) => ({ file: shown, ...at, message })))
  if (extname(file) === '.json') requireJson(text, shown)
  const checked = configSchema.safeParse(located.value ?? {})
  if (checked.success) return checked.data
  throw refusal(describeIssues(checked.error.issues, located, shown))
}

/** A `.json` file is read by editors and tools that know no YAML. */
function requireJson(text: string, file: string): void {
  try {
    parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw refusal([
      { file, line: 1, col: 1, message: `is YAML, not JSON (${error.code}): name it .yaml` },
    ])
  }
}

function refusal(problems: readonly ConfigProblem[]): ConfigError {
  const lines = problems.map(({ file, line, col, message }) => `${file}:${line}:${col}: ${message}`)
  return new ConfigError('invalid_config', lines.join('\n'), problems)
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw new ConfigError(
      'not_found',
      `${shortName(file)} cannot be read (${why}): give --config an existing file`,
    )
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refusal([{ file: shortName(file), line: 1, col: 1, message: 'is not UTF-8 text' }])
  }
}

/** Errors name a file as the user would. */
function shortName(file: string): string {
  const near = relative(process.cwd(), file)
  return near === '' || near.startsWith('..') || isAbsolute(near) ? file : near
}
