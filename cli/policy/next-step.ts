/** What to do about a problem of the compiler: its message says what is wrong, this says the way out. */
import type { Problem } from '../../core/ports/compiler.ts'

const BY_CODE: Readonly<Record<string, string>> = {
  rego_parse_error: 'correct the syntax at the caret; what stands before it is the usual cause',
  rego_unsafe_var_error: 'give the variable a value: bind it with := or some ... in',
  rego_recursion_error:
    'a rule cannot need itself: take the part that both need into a rule of its own',
  shadowed_operator: 'rename the rule',
  unknown_file: 'rename the file, or move it out of the folder',
  data_conflict: 'keep the value in one of the files',
  invalid_data: 'correct the JSON of this file',
  invalid_table: 'docs/policy-guide.md shows a table, docs/policy-cases.schema.json is its format',
  unknown_query: 'correct the path: package and rule, such as assay/main/deny',
  unknown_entrypoint: 'define the rule, or ask for another entry point',
}
const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [
    /^undefined ref: input\./,
    'the input has no such member: assay policy check reads the schema of the plugin, whose README lists the facts',
  ],
  [
    /undefined function data\.assay\.lib\./,
    'begin with a copy of the folder policies: lib/ and main.rego of it are what the rules of every plugin stand on',
  ],
  [/undefined function/, 'correct the name, or import the package that has the function'],
  [/^(assigned|declared) var .* unused/, 'use it, take it away, or write _ in its place'],
  [/^import .* unused/, 'take the import away'],
  [/deprecated/, 'use what took its place'],
  [/shadow/, 'choose another name'],
]

export function nextStep({ code, message }: Problem): string | undefined {
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? BY_CODE[code]
}
