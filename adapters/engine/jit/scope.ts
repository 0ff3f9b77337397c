/** What the writers of statements share: where they are, and what the program around them has. */
import { Decimal, type RegoNumber } from '../value/number.ts'
import { propertyKind } from './names.ts'
import { dataLocals, type Origins } from './origins.ts'
import type { Operand, Place, Plan, Statement } from './plan.ts'
import { Label, quote } from './text.ts'
import type { FunctionPlace, StatementPlace, TraceTable } from './trace.ts'
import { hasKind } from './visit.ts'

export interface ProgramOptions {
  /** A failing built-in ends the evaluation with OPA's error, instead of being undefined. */
  readonly strict?: boolean
  /** Tells a {@link Trace} what happens, and takes no short cut. */
  readonly trace?: boolean
}

/** The whole program: its functions' names and what it has once, on top. */
export class ProgramScope {
  readonly plan: Plan
  readonly strict: boolean
  readonly trace: boolean
  readonly table: { functions: FunctionPlace[]; statements: StatementPlace[] }
  readonly origins: Origins
  /** Whether a `with` puts other input or data in place somewhere. */
  readonly replaces: boolean
  readonly #functions: ReadonlyMap<string, number>
  readonly #builtins = new Map<string, string>()
  readonly #constants = new Map<string, string>()
  readonly #plain = new Set<string>()

  constructor(plan: Plan, options: ProgramOptions) {
    this.plan = plan
    this.strict = options.strict === true
    this.trace = options.trace === true
    this.#functions = new Map(plan.functions.map(({ name }, index) => [name, index]))
    this.origins = dataLocals(plan)
    this.replaces = hasKind(plan, 'WithStmt')
    const functions = plan.functions.map(({ name, path, params }) => ({
      name,
      path: path.slice(1),
      arity: params.length - 2,
    }))
    this.table = { functions, statements: [] }
  }

  get traced(): TraceTable {
    return this.table
  }

  functionIndex(name: string): number | undefined {
    return this.#functions.get(name)
  }

  /** The variable of a built-in. */
  builtin(name: string): string {
    const known = this.#builtins.get(name)
    if (known !== undefined) return known
    const made = `b${this.#builtins.size}`
    this.#builtins.set(name, made)
    return made
  }

  /** How a member of this name may be read. */
  propertyKind(name: string): 'method' | 'none' | 'plain' {
    const kind = propertyKind(name)
    if (kind === 'plain') this.#plain.add(name)
    return kind
  }

  /** Names of built-ins that the program calls. */
  get builtins(): readonly string[] {
    return [...this.#builtins.keys()]
  }

  /** An expression for a value that is made once. */
  constant(expression: string): string {
    const known = this.#constants.get(expression)
    if (known !== undefined) return known
    // Scans have `k` and a number of their own.
    const made = `K${this.#constants.size}`
    this.#constants.set(expression, made)
    return made
  }

  number(value: RegoNumber): string {
    if (value instanceof Decimal) return this.constant(`R.number(${quote(String(value))})`)
    return typeof value === 'bigint' ? `${value}n` : String(value)
  }

  /** What has to stand before the functions. */
  declarations(): string {
    const constants = [...this.#constants].map(([made, name]) => `const ${name}=${made};\n`)
    const builtins = [...this.#builtins].map(
      ([name, variable]) => `const ${variable}=R.builtin(${quote(name)});\n`,
    )
    const plain = `R.plain([${[...this.#plain].map(quote).join()}]);\n`
    return [plain, ...builtins, ...constants].join('')
  }
}

/** One function, or the plan of one entry point. */
export interface FunctionScope {
  readonly program: ProgramScope
  /** -1 for an entry point. */
  readonly index: number
  /** How it is called where two bodies conflict. */
  readonly called: string
  /** The local that ends the function as soon as a body assigns it. */
  readonly settled: number | undefined
  /** Steps of references into base documents. */
  readonly baseReads: ReadonlySet<Statement>
  /** Numbers for labels and temporary variables. */
  fresh(): number
}

/** A place in a function: its labels, the innermost last. */
export interface At {
  readonly scope: FunctionScope
  readonly labels: readonly Label[]
  readonly body: number
  /** Locals that hold parts of the data. */
  readonly data: ReadonlySet<number>
}

export function within(at: At, ...labels: readonly Label[]): At {
  return { ...at, labels: [...at.labels, ...labels] }
}

export function label(at: At): Label {
  return Label.block(`L${at.scope.fresh()}`)
}

/** The statement that leaves `depth` blocks. */
export function leave(at: At, depth = 0): string {
  const target = at.labels.at(-1 - depth)
  return target === undefined ? 'return;' : target.go()
}

export function expression(operand: Operand): string {
  if ('local' in operand) return `l${operand.local}`
  return typeof operand.constant === 'string' ? quote(operand.constant) : String(operand.constant)
}

/** A statement on its way into the program, as far as its trace goes. */
export interface Told {
  /** Code for "it held" and for "it ends its block". */
  passed(...values: readonly string[]): string
  failed(...values: readonly string[]): string
  readonly number: number
}

export function told(at: At, statement: Statement, extra: Partial<StatementPlace> = {}): Told {
  const { program, index } = at.scope
  const end = leave.bind(undefined, at, 0)
  if (!program.trace) return { number: -1, passed: () => '', failed: end }
  const number = program.table.statements.length
  const { place, type: kind } = statement
  const { body } = at
  program.table.statements.push({ ...place, kind, statement, func: index, body, ...extra })
  return {
    number,
    passed: (...values) => `T.passed(${number},[${values.join()}]);`,
    failed: (...values) => `{T.failed(${number},[${values.join()}]);${end()}}`,
  }
}

export function placeText({ file, row, col }: Place): string {
  return `${file}:${row}:${col}`
}
