/** Statements that hold no others, as JavaScript. */

import { call, callDynamic } from './calls.ts'
import type { Kind, Operand, Result, StatementOf } from './plan.ts'
import { type At, expression, leave, placeText, told } from './scope.ts'
import { PRICE, pay, quote } from './text.ts'

type Simple = Exclude<Kind, 'BlockStmt' | 'NotStmt' | 'ScanStmt' | 'WithStmt'>
type Writers = { readonly [K in Simple]: (statement: StatementOf<K>, at: At) => string }

export function simple(statement: StatementOf<Simple>, at: At): string {
  const write = WRITERS[statement.type] as (statement: StatementOf<Simple>, at: At) => string
  return write(statement, at)
}

const WRITERS: Writers = {
  ArrayAppendStmt: ({ array, value }) => `l${array}.push(${expression(value)});`,
  AssignIntStmt: ({ target, value }) => `l${target}=${value};`,
  AssignVarOnceStmt: assignOnce,
  AssignVarStmt: ({ source, target }) => `l${target}=${expression(source)};`,
  BreakStmt: breakOut,
  CallDynamicStmt: callDynamic,
  CallStmt: call,
  DotStmt: dot,
  EqualStmt: (statement, at) => comparison(statement, at, '!'),
  IsArrayStmt: (statement, at) => check(statement, at, 'isArray(', ')'),
  IsDefinedStmt: (statement, at) => definedness(statement, at, '==='),
  IsObjectStmt: (statement, at) => check(statement, at, 'isObject(', ')'),
  IsSetStmt: (statement, at) => check(statement, at, '', ' instanceof RegoSet'),
  IsUndefinedStmt: (statement, at) => definedness(statement, at, '!=='),
  LenStmt: ({ source, target }) => `l${target}=count(${expression(source)});`,
  MakeArrayStmt: ({ target }) => `${pay(PRICE.container)}l${target}=[];`,
  MakeNullStmt: ({ target }) => `l${target}=null;`,
  MakeNumberIntStmt: ({ target, value }) => `l${target}=${value};`,
  MakeNumberRefStmt: ({ target, Index }, at) => `l${target}=${at.scope.program.number(Index)};`,
  MakeObjectStmt: ({ target }) => `${pay(PRICE.container)}l${target}={};`,
  MakeSetStmt: ({ target }) => `${pay(PRICE.container)}l${target}=new RegoSet();`,
  NopStmt: () => '',
  NotEqualStmt: (statement, at) => comparison(statement, at, ''),
  ObjectInsertOnceStmt: insertOnce,
  ObjectInsertStmt: ({ object, key, value }) => inserted(object, key, value),
  ObjectMergeStmt: ({ a, b, target }) => `l${target}=merge(l${a},l${b});`,
  ResetLocalStmt: ({ target }) => `l${target}=undefined;`,
  ResultSetAddStmt: addResult,
  ReturnLocalStmt: ({ source }) => `return l${source};`,
  SetAddStmt: addMember,
}

/** Whether two operands are equal. Containers and numbers that are objects need more than `===`. */
export function equality(a: Operand, b: Operand): string {
  const [left, right] = [expression(a), expression(b)]
  if ('constant' in a || 'constant' in b) return `${left}===${right}`
  return `(${left}===${right}||typeof ${left}==='object'&&equal(${left},${right}))`
}

function comparison(
  statement: StatementOf<'EqualStmt' | 'NotEqualStmt'>,
  at: At,
  negated: '!' | '',
): string {
  const { a, b } = statement
  const { passed, failed } = told(at, statement)
  const values = [expression(a), expression(b)]
  return `if(${negated}(${equality(a, b)}))${failed(...values)}${passed(...values)}`
}

function check(
  statement: StatementOf<'IsArrayStmt' | 'IsObjectStmt' | 'IsSetStmt'>,
  at: At,
  before: string,
  after: string,
): string {
  const value = expression(statement.source)
  const { passed, failed } = told(at, statement)
  return `if(!(${before}${value}${after}))${failed(value)}${passed(value)}`
}

function definedness(
  statement: StatementOf<'IsDefinedStmt' | 'IsUndefinedStmt'>,
  at: At,
  undefinedWhen: '!==' | '===',
): string {
  const value = `l${statement.source}`
  const { passed, failed } = told(at, statement)
  return `if(${value}${undefinedWhen}undefined)${failed(value)}${passed(value)}`
}

function breakOut(statement: StatementOf<'BreakStmt'>, at: At): string {
  if (statement.index > 0) return leave(at, statement.index)
  // The expression `false`.
  return told(at, statement).failed()
}

/** An expression for a member, undefined where there is none. */
export function member(from: string, name: string, at: At): string {
  return at.scope.program.propertyKind(name) === 'plain'
    ? `(${from}?.${name}??get(${from},${quote(name)}))`
    : `get(${from},${quote(name)})`
}

function dot(statement: StatementOf<'DotStmt'>, at: At): string {
  const { source, key, target } = statement
  const name = 'constant' in key && typeof key.constant === 'string' ? key.constant : undefined
  const { passed, failed } = told(at, statement, name === undefined ? {} : { key: name })
  if ('constant' in source) return failed(expression(source), expression(key))
  const [from, by] = [expression(source), expression(key)]
  return `if(${missing(statement, name, at)})${failed(from, by)}${passed(from, by, `l${target}`)}`
}

/** Reads a member, and says whether it is missing. */
function missing(statement: StatementOf<'DotStmt'>, name: string | undefined, at: At): string {
  const { source, key, target } = statement
  const [from, by] = [expression(source), expression(key)]
  const kind = name === undefined ? 'none' : at.scope.program.propertyKind(name)
  if (kind === 'none') {
    const read = at.scope.baseReads.has(statement) ? 'getBase' : 'get'
    return `(l${target}=${read}(${from},${by}))===undefined`
  }
  const none = `(l${target}=${from}?.${name})===undefined`
  // Sets, and objects with other keys, have no properties.
  const found = `(l${target}=find(${from},${by}))===undefined`
  return kind === 'plain'
    ? `${none}&&${found}`
    : `(${none}||typeof l${target}==='function')&&${found}`
}

function assignOnce(statement: StatementOf<'AssignVarOnceStmt'>, at: At): string {
  const { source, target } = statement
  const { scope } = at
  const value = expression(source)
  if (scope.settled === target) return `return ${value};`
  const { passed } = told(at, statement)
  const same = equality({ local: target }, source)
  const message = quote(`${placeText(statement.place)}: ${scope.called}`)
  return `if(l${target}!==undefined&&!(${same}))conflict(${message});l${target}=${value};${passed(value)}`
}

function insertOnce(statement: StatementOf<'ObjectInsertOnceStmt'>, at: At): string {
  const { object, key, value } = statement
  const [name, member] = [expression(key), expression(value)]
  const { passed } = told(at, statement)
  const message = quote(`${placeText(statement.place)}: object keys must be unique`)
  const known = `o${at.scope.fresh()}`
  return `{const ${known}=get(l${object},${name});if(${known}!==undefined&&!equal(${known},${member}))conflict(${message});}${inserted(object, key, value)}${passed(name, member)}`
}

/** The object may become another one: with its first key that is no string. */
function inserted(object: number, key: Operand, value: Operand): string {
  return `${pay(PRICE.member)}l${object}=insert(l${object},${expression(key)},${expression(value)});`
}

function addMember(statement: StatementOf<'SetAddStmt'>, at: At): string {
  const value = expression(statement.value)
  return `${pay(PRICE.member)}l${statement.set}.add(${value});${told(at, statement).passed(value)}`
}

/** A result that is an object with the one member `result`. */
function addResult({ value }: StatementOf<'ResultSetAddStmt'>): string {
  return oneResult(`get(l${value},"result")`)
}

export function result({ value }: Result): string {
  return oneResult(expression(value))
}

/** An entry point has one value; the same twice is one. */
function oneResult(value: string): string {
  return `if(r!==undefined&&!equal(r,${value}))conflict("more than one result");r=${value};`
}
