/** `sprintf`: Go's directives, with flags, width, precision, `*` and argument indexes, and its words for what does not fit. */
import { Decimal, isNumber, numberText } from '../../value/number.ts'
import { formatTerm } from '../../value/term.ts'
import { isArray, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { type Argument, type Flags, noFlags, printed } from './go-verbs.ts'

const sprintf: Builtin = (context, format: Value, values: Value) => {
  if (typeof format !== 'string') return wrongType(context, 1, format, 'string')
  if (!isArray(values)) return wrongType(context, 2, values, 'array')
  return usual(format, values) ?? formatted(context, format, values.map(argumentOf))
}

/** Undefined after a failure. */
export function formatted(
  context: Context,
  format: string,
  values: readonly Argument[],
): string | undefined {
  return new Printer(context, format, values).print()
}

/** `%s`, `%d` and `%v` without anything else, for texts and short integers: what nearly all formats are. */
const USUAL = /%(.)/gs

function usual(format: string, values: readonly Value[]): string | undefined {
  let next = 0
  let odd = false
  const text = format.replace(USUAL, (_all, verb: string) => {
    const value = values[next++]
    if (typeof value === 'string' && (verb === 's' || verb === 'v')) return value
    if (Number.isSafeInteger(value) && (verb === 'd' || verb === 'v')) return String(value)
    odd = true
    return ''
  })
  return odd || next !== values.length || format.endsWith('%') ? undefined : text
}

function argumentOf(value: Value): Argument {
  if (typeof value === 'string') return { type: 'string', value }
  if (!isNumber(value)) return { type: 'string', value: formatTerm(value) }
  if (typeof value === 'bigint') {
    return { type: BigInt.asIntN(64, value) === value ? 'int64' : '*big.Int', value }
  }
  if (Number.isInteger(value)) return { type: 'int64', value: BigInt(value as number) }
  const double = value instanceof Decimal ? Number(value.toString()) : value
  return Number.isFinite(double)
    ? { type: 'float64', value: double }
    : { type: 'string', value: numberText(value) }
}

/** Wider is no number to Go. */
const MAX_NUMBER = 1_000_000

/** What is read of one directive. */
interface Directive {
  readonly flags: Flags
  /** An index was the last thing read. */
  afterIndex: boolean
  goodIndex: boolean
  text: string
}

class Printer {
  readonly #context: Context
  readonly #format: string
  readonly #arguments: readonly Argument[]
  #at = 0
  #next = 0
  #reordered = false

  constructor(context: Context, format: string, values: readonly Argument[]) {
    this.#context = context
    this.#format = format
    this.#arguments = values
  }

  print(): string | undefined {
    let text = ''
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at)
      const end = percent < 0 ? this.#format.length : percent
      text += this.#format.slice(this.#at, end)
      this.#at = end + 1
      if (percent < 0) break
      const said = this.#directive()
      if (said === undefined) return undefined
      text += said
    }
    return text + this.#extra()
  }

  /** Undefined after a failure. */
  #directive(): string | undefined {
    const directive: Directive = {
      flags: this.#flags(),
      afterIndex: false,
      goodIndex: true,
      text: '',
    }
    this.#index(directive)
    this.#width(directive)
    this.#precision(directive)
    if (!directive.afterIndex) this.#index(directive)
    if (this.#at >= this.#format.length) return `${directive.text}%!(NOVERB)`
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) as number)
    this.#at += verb.length
    const said = this.#verb(directive, verb)
    return said === undefined ? undefined : directive.text + said
  }

  #flags(): Flags {
    const flags = noFlags()
    for (; ; this.#at++) {
      const char = this.#format[this.#at]
      if (char === '#') flags.sharp = true
      else if (char === '0') flags.zero = true
      else if (char === '+') flags.plus = true
      else if (char === '-') flags.minus = true
      else if (char === ' ') flags.space = true
      else return flags
    }
  }

  #index(directive: Directive): void {
    directive.afterIndex = false
    if (this.#format[this.#at] !== '[') return
    this.#reordered = true
    const end = this.#format.indexOf(']', this.#at)
    if (end < 0) {
      directive.goodIndex = false
      this.#at++
      return
    }
    const digits = this.#format.slice(this.#at + 1, end)
    this.#at = end + 1
    const isNumeral = /^\d+$/.test(digits) && Number(digits) <= 10 * MAX_NUMBER + 9
    const index = Number(digits) - 1
    directive.afterIndex = isNumeral
    if (isNumeral && index >= 0 && index < this.#arguments.length) this.#next = index
    else directive.goodIndex = false
  }

  #width(directive: Directive): void {
    const { flags } = directive
    if (this.#format[this.#at] !== '*') {
      flags.width = this.#number()
      if (directive.afterIndex && flags.width !== undefined) directive.goodIndex = false
      return
    }
    this.#at++
    const width = this.#taken()
    if (width === undefined) directive.text += '%!(BADWIDTH)'
    if (width !== undefined && width < 0) {
      flags.minus = true
      flags.zero = false
    }
    flags.width = width === undefined ? undefined : Math.abs(width)
    directive.afterIndex = false
  }

  #precision(directive: Directive): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return
    this.#at++
    if (directive.afterIndex) directive.goodIndex = false
    this.#index(directive)
    if (this.#format[this.#at] !== '*') {
      directive.flags.precision = this.#number() ?? 0
      return
    }
    this.#at++
    const precision = this.#taken()
    directive.flags.precision = precision !== undefined && precision >= 0 ? precision : undefined
    if (directive.flags.precision === undefined) directive.text += '%!(BADPREC)'
    directive.afterIndex = false
  }

  /** A number in the format. One that is too large takes the rest of the format with it, as in Go. */
  #number(): number | undefined {
    let number: number | undefined
    for (; this.#at < this.#format.length; this.#at++) {
      const digit = this.#format.charCodeAt(this.#at) - 48
      if (digit < 0 || digit > 9) break
      if (number !== undefined && number > MAX_NUMBER) {
        this.#at = this.#format.length
        return undefined
      }
      number = (number ?? 0) * 10 + digit
    }
    return number
  }

  /** The next argument as a width or a precision. */
  #taken(): number | undefined {
    const argument = this.#arguments[this.#next]
    if (argument === undefined) return undefined
    this.#next++
    if (argument.type !== 'int64' && argument.type !== 'int') return undefined
    const number = Number(argument.value)
    return Math.abs(number) > MAX_NUMBER ? undefined : number
  }

  #verb(directive: Directive, verb: string): string | undefined {
    if (verb === '%') return '%'
    if (!directive.goodIndex) return `%!${verb}(BADINDEX)`
    const argument = this.#arguments[this.#next]
    if (argument === undefined) return `%!${verb}(MISSING)`
    this.#next++
    const { flags } = directive
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp
      flags.plusV = flags.plus
      flags.sharp = false
      flags.plus = false
    }
    if (argument.type === '*big.Int' && (verb === 'p' || verb === 'w'))
      return fail(this.#context, 'an address of memory, or what Go has inside a long integer')
    this.#context.spend(Math.ceil(((flags.width ?? 0) + (flags.precision ?? 0)) / 100))
    return printed(flags, verb, argument)
  }

  #extra(): string {
    if (this.#reordered || this.#next >= this.#arguments.length) return ''
    const extra = this.#arguments
      .slice(this.#next)
      .map((argument) => `${argument.type}=${printed(noFlags(), 'v', argument)}`)
    return `%!(EXTRA ${extra.join(', ')})`
  }
}

export const SPRINTF: Family = { sprintf }
