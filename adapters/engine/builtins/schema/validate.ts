/** A document held against a schema that has been checked. Errors are those of OPA, by their types and texts. */
import { compareNumbers, isNumber, type RegoNumber } from '../../value/number.ts'
import { equal } from '../../value/order.ts'
import {
  type AnyObject,
  entriesOf,
  get,
  isArray,
  isObject,
  sizeOf,
  type Value,
} from '../../value/value.ts'
import type { Context } from '../builtin.ts'
import { codePoints } from '../collections/aggregates.ts'
import { marshal } from '../json/index.ts'
import { patternOf } from '../patterns/compiled.ts'
import { type Draft, draftOf, resolve } from './check.ts'
import { hasFormat } from './format.ts'
import { type Checked, checkNumber, sizes, typeMismatch, unique } from './limits.ts'

export interface Problem {
  readonly type: string
  readonly description: string
  readonly field: string
}

/** Of several schemas the best is the one with the highest score, whose problems are told. */
class Result {
  readonly problems: Problem[] = []
  score = 0

  merge(other: Result): void {
    this.problems.push(...other.problems)
    this.score += other.score
  }
}

const MAX_DEPTH = 500

/** Where the document may be deeper than the checks can follow. */
export class TooDeep extends Error {}

/** @throws TooDeep */
export function validate(context: Context, schema: Value, document: Value): readonly Problem[] {
  const result = new Result()
  new Validator(context, schema).run(schema, document, '(Root)', result, 0)
  return result.problems
}

class Validator {
  readonly #context: Context
  readonly #root: Value
  readonly #draft: Draft

  constructor(context: Context, root: Value) {
    this.#context = context
    this.#root = root
    this.#draft = draftOf(root)
  }

  run(schema: Value, value: Value, path: string, result: Result, depth: number): void {
    this.#context.spend(1)
    if (depth > MAX_DEPTH) throw new TooDeep()
    const fails = (type: string, description: string): void => {
      result.problems.push({ type, description, field: path.replace(/^\(Root\)\./, '') })
      result.score -= 2
    }
    if (typeof schema === 'boolean') {
      if (!schema) fails('false', 'False always fails validation')
      return
    }
    const reference = get(schema, '$ref')
    if (typeof reference === 'string') {
      this.run(resolve(this.#root, reference), value, path, result, depth + 1)
      return
    }
    const mismatch = typeMismatch(get(schema, 'type'), value)
    if (mismatch === undefined) this.#keywords({ schema, value, path, result, depth, fails })
    else fails('invalid_type', mismatch)
  }

  #keywords(state: State): void {
    const { value, result } = state
    this.#combined(state)
    if (isNumber(value)) {
      checkNumber(state, value)
      result.score++
    }
    if (isArray(value)) this.#array(state, value)
    if (isObject(value)) this.#object(state, value)
    this.#common(state)
    if (typeof value === 'string') this.#text(state, value)
    if (isObject(value)) this.#properties(state, value)
    result.score++
  }

  /** A result of its own. */
  #apart(
    state: State,
    schema: Value,
    value: Value = state.value,
    path: string = state.path,
  ): Result {
    const result = new Result()
    this.run(schema, value, path, result, state.depth + 1)
    return result
  }

  #combined(state: State): void {
    this.#choices(state)
    const not = get(state.schema, 'not')
    if (not !== undefined && isGood(this.#apart(state, not)))
      state.fails('number_not', 'Must not validate the schema (not)')
    this.#dependencies(state)
    this.#condition(state)
    state.result.score++
  }

  #choices(state: State): void {
    const { schema, result, fails } = state
    const of = (name: string): readonly Result[] =>
      ((get(schema, name) ?? []) as readonly Value[]).map((one) => this.#apart(state, one))
    const any = of('anyOf')
    if (any.length > 0 && !any.some(isGood)) {
      fails('number_any_of', 'Must validate at least one schema (anyOf)')
      result.merge(bestOf(any))
    }
    const one = of('oneOf')
    const good = one.filter(isGood).length
    if (one.length > 0 && good !== 1) {
      fails('number_one_of', 'Must validate one and only one schema (oneOf)')
      if (good === 0) result.merge(bestOf(one))
    }
    const all = of('allOf')
    for (const each of all) result.merge(each)
    if (!all.every(isGood)) fails('number_all_of', 'Must validate all the schemas (allOf)')
  }

  #dependencies({ schema, value, path, result, depth, fails }: State): void {
    const dependencies = get(schema, 'dependencies')
    if (!isObject(dependencies) || !isObject(value)) return
    for (const [name, dependency] of entriesOf(dependencies)) {
      if (get(value, name) === undefined) continue
      if (!isArray(dependency)) this.run(dependency, value, path, result, depth + 1)
      else
        for (const other of dependency)
          if (get(value, other) === undefined)
            fails('missing_dependency', `Has a dependency on ${other}`)
    }
  }

  #condition(state: State): void {
    const condition = get(state.schema, 'if')
    if (condition === undefined || (this.#draft ?? 7) < 7) return
    const name = isGood(this.#apart(state, condition)) ? 'then' : 'else'
    const branch = get(state.schema, name)
    const outcome = branch === undefined ? new Result() : this.#apart(state, branch)
    if (isGood(outcome)) return
    state.fails(
      `condition_${name}`,
      `Must validate "${name}" as "if" was ${name === 'then' ? 'valid' : 'not valid'}`,
    )
    state.result.merge(outcome)
  }

  #common({ schema, value, result, fails, path }: State): void {
    const field = path.replace(/^\(Root\)\./, '')
    const constant = this.#draft === 4 ? undefined : get(schema, 'const')
    if (constant !== undefined && !equal(constant, value))
      fails('const', `${field} does not match: ${marshal(constant)}`)
    const allowed = get(schema, 'enum')
    if (isArray(allowed)) this.#context.spend(allowed.length)
    if (isArray(allowed) && !allowed.some((one) => equal(one, value)))
      fails('enum', `${field} must be one of the following: ${allowed.map(marshal).join(', ')}`)
    const format = get(schema, 'format')
    if (typeof format === 'string' && format !== '' && !hasFormat(format, value))
      fails('format', `Does not match format '${format}'`)
    result.score++
  }

  #array(state: State, value: readonly Value[]): void {
    const { schema, result, fails, path } = state
    const items = get(schema, 'items')
    const rest = get(schema, 'additionalItems')
    const single = items !== undefined && !isArray(items) ? items : undefined
    const listed = isArray(items) ? items : []
    for (const [i, item] of value.entries()) {
      const own = single ?? listed[i] ?? (listed.length > 0 && isObject(rest) ? rest : undefined)
      if (own !== undefined) result.merge(this.#apart(state, own, item, `${path}.${i}`))
    }
    if (listed.length > 0 && listed.length < value.length && rest === false)
      fails('array_no_additional_items', 'No additional items allowed on array')
    sizes(state, value.length, 'Items', ['array_min_items', 'array_max_items'], 'Array must')
    if (get(schema, 'uniqueItems') === true) unique(state, value)
    this.#contains(state, value)
    result.score++
  }

  #contains(state: State, value: readonly Value[]): void {
    const contains = this.#draft === 4 ? undefined : get(state.schema, 'contains')
    if (contains === undefined) return
    const results = value.map((item, i) => this.#apart(state, contains, item, `${state.path}.${i}`))
    if (results.some(isGood)) return
    state.fails('contains', 'At least one of the items must match')
    if (results.length > 0) state.result.merge(bestOf(results))
  }

  #object(state: State, value: AnyObject): void {
    const { schema, result, fails } = state
    sizes(
      state,
      sizeOf(value),
      'Properties',
      ['array_min_properties', 'array_max_properties'],
      'Must',
    )
    for (const name of (get(schema, 'required') ?? []) as readonly string[])
      if (get(value, name) === undefined) fails('required', `${name} is required`)
      else result.score++
    for (const [name, member] of entriesOf(value)) this.#member(state, name as string, member)
    const names = this.#draft === 4 ? undefined : get(schema, 'propertyNames')
    for (const [name] of names === undefined ? [] : entriesOf(value)) {
      const outcome = this.#apart(state, names!, name)
      if (isGood(outcome)) continue
      fails('invalid_property_name', `Property name of "${name}" does not match`)
      result.merge(outcome)
    }
    result.score++
  }

  /** By the patterns of its name; what neither they nor `properties` describe is additional. */
  #member(state: State, name: string, member: Value): void {
    const { schema, result, fails, path } = state
    let known = get(get(schema, 'properties'), name) !== undefined
    let matched = false
    for (const [pattern, own] of entriesOf((get(schema, 'patternProperties') ?? {}) as AnyObject)) {
      if (!patternOf(this.#context, pattern as string)?.matches(this.#context, name)) continue
      known = matched = true
      result.merge(this.#apart(state, own, member, `${path}.${name}`))
    }
    if (matched) result.score++
    const rest = get(schema, 'additionalProperties')
    if (known || rest === undefined || rest === true) return
    if (rest === false)
      fails('additional_property_not_allowed', `Additional property ${name} is not allowed`)
    else result.merge(this.#apart(state, rest, member, `${path}.${name}`))
  }

  #properties({ schema, result, path, depth }: State, value: AnyObject): void {
    for (const [name, own] of entriesOf((get(schema, 'properties') ?? {}) as AnyObject)) {
      const member = get(value, name)
      if (member !== undefined) this.run(own, member, `${path}.${name}`, result, depth + 1)
    }
  }

  #text({ schema, result, fails }: State, value: string): void {
    const [min, max] = [get(schema, 'minLength'), get(schema, 'maxLength')] as RegoNumber[]
    const length = codePoints(value)
    if (min !== undefined && compareNumbers(length, min) < 0)
      fails('string_gte', `String length must be greater than or equal to ${min}`)
    if (max !== undefined && compareNumbers(length, max) > 0)
      fails('string_lte', `String length must be less than or equal to ${max}`)
    const pattern = get(schema, 'pattern')
    if (
      typeof pattern === 'string' &&
      !patternOf(this.#context, pattern)?.matches(this.#context, value)
    )
      fails('pattern', `Does not match pattern '${pattern}'`)
    result.score++
  }
}

/** One value at one place under one schema. */
interface State extends Checked {
  readonly value: Value
  readonly path: string
  readonly result: Result
  readonly depth: number
}

function isGood({ problems }: Result): boolean {
  return problems.length === 0
}

/** The first of those with the highest score. */
function bestOf(results: readonly Result[]): Result {
  return results.reduce((best, one) => (one.score > best.score ? one : best))
}
