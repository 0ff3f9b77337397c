/** Calls of functions and built-ins. */
import { constantSet, constantSetOf } from './constant-sets.ts'
import type { Formatted } from './literals.ts'
import { PlanError, type StatementOf } from './plan.ts'
import { type At, expression, leave, placeText, told } from './scope.ts'
import { PRICE, pay, quote } from './text.ts'

export function call(statement: StatementOf<'CallStmt'>, at: At): string {
  const { program } = at.scope
  const index = program.functionIndex(statement.func)
  if (index === undefined) return callBuiltin(statement, at)
  if (statement.args.length !== program.plan.functions[index]?.params.length) throw wrongCall()
  const args = statement.args.map(expression)
  const { passed, failed } = told(at, statement, { callee: statement.func })
  const result = `l${statement.result}`
  const set = program.trace ? undefined : constantSetOf(statement.func, program)
  if (set !== undefined) return `${result}=${set};`
  const seen = args.slice(2)
  return `if((${result}=f${index}(${args.join()}))===undefined)${failed(...seen)}${passed(...seen, result)}`
}

function callBuiltin(statement: StatementOf<'CallStmt'>, at: At): string {
  const { program } = at.scope
  const { func, place } = statement
  const declared = program.plan.builtins.get(func)
  const args = statement.args.map(expression)
  const { passed, failed } = told(at, statement, { callee: func })
  const result = `l${statement.result}`
  const direct = keptMember(statement, at) ?? INLINE.get(func)
  const fallback = WITH_FALLBACK.get(func)
  const arity = func === 'count' ? 1 : 2
  if ((direct ?? fallback) !== undefined && args.length !== arity) throw wrongCall()
  if (direct !== undefined) return `${result}=${direct(...args)};${passed(...args, result)}`
  const made = `${program.builtin(func)}(${['C', ...args].join()})`
  const fast = fallback?.(made, ...args) ?? made
  const price = fallback === undefined ? pay(PRICE.value) : ''
  if (declared?.isVoid === true) return `${price}${fast};`
  const strict = program.strict
    ? `if(C.failure!==undefined)failed(C.failure,${quote(placeText(place))});`
    : ''
  return `${price}if((${result}=${fast})===undefined){${strict}${failed(...args)}}${passed(...args, result)}`
}

/** `sprintf` of values that stand in the text of the call. */
export function callFormatted({ call: statement, made, test, values }: Formatted, at: At): string {
  const { target, text } = values
  return `if(${test}){${pay(PRICE.value)}l${statement.result}=${made};}else{l${target}=${text};${callBuiltin(statement, at)}}`
}

function wrongCall(): PlanError {
  return new PlanError('a call with another number of arguments than what it calls takes')
}

/** Membership in what is known, or stays as it is. */
function keptMember(
  { func, args }: StatementOf<'CallStmt'>,
  at: At,
): ((...args: readonly string[]) => string) | undefined {
  const [, collection] = args
  if (func !== 'internal.member_2' || collection === undefined || at.scope.program.trace)
    return undefined
  const test = constantSet(collection, at)
  if (test !== undefined) return (a = '') => `${test}(${a})`
  return 'local' in collection && at.data.has(collection.local)
    ? (a = '', b = '') => `keptMember(C,${a},${b})`
    : undefined
}

/** Built-ins that are defined for all values: no call, no failure. */
const INLINE: ReadonlyMap<string, (...args: readonly string[]) => string> = new Map([
  ['equal', (a = '', b = '') => `equal(${a},${b})`],
  ['neq', (a = '', b = '') => `!equal(${a},${b})`],
  ['lt', relation('<')],
  ['lte', relation('<=')],
  ['gt', relation('>')],
  ['gte', relation('>=')],
  ['internal.member_2', (a = '', b = '') => `member(C,${a},${b})`],
])

function relation(sign: string): (...args: readonly string[]) => string {
  return (a = '', b = '') =>
    `(typeof ${a}==='number'&&typeof ${b}==='number'?${a}${sign}${b}:compare(${a},${b})${sign}0)`
}

/** What is usual is done in place; the built-in does the rest, and what fails. */
const WITH_FALLBACK: ReadonlyMap<string, (made: string, ...args: readonly string[]) => string> =
  new Map([
    ['count', (made, a = '') => `(count(${a})??${made})`],
    ['plus', (made, a = '', b = '') => `(${isInt(a)}&&${isInt(b)}?${a}+${b}:${made})`],
    ['minus', (made, a = '', b = '') => `(${isInt(a)}&&${isInt(b)}?${a}-${b}:${made})`],
    [
      'rem',
      (made, a = '', b = '') => `(${isInt(a)}&&${isInt(b)}&&${a}>=0&&${b}>0?${a}%${b}:${made})`,
    ],
    // In V8 faster than startsWith.
    ['startswith', texts('lastIndexOf', ',0)===0')],
    ['endswith', texts('endsWith')],
    ['contains', texts('includes')],
  ])

/** Sums and differences of such integers are safe ones. */
function isInt(value: string): string {
  return `typeof ${value}==='number'&&(${value}|0)===${value}`
}

function texts(method: string, end = ')'): (made: string, ...args: readonly string[]) => string {
  return (made, a = '', b = '') =>
    `(typeof ${a}==='string'&&typeof ${b}==='string'?${a}.${method}(${b}${end}:${made})`
}

/** A rule or function whose path is known only now. */
export function callDynamic(statement: StatementOf<'CallDynamicStmt'>, at: At): string {
  const { passed, failed } = told(at, statement)
  const found = `d${at.scope.fresh()}`
  const path = statement.path.map(expression).join()
  const args = statement.args.map((one) => `l${one}`).join()
  const result = `l${statement.result}`
  // Three blocks further out: a rule that is there and has no value is not looked for among the base documents.
  return `const ${found}=lookup(tree(),[${path}]);if(${found}===undefined)${leave(at)}if((${result}=${found}(${args}))===undefined)${at.labels.length > 3 ? leave(at, 3) : failed()}${passed(path, result)}`
}
