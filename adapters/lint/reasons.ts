/** The reasons that a policy can give, read from its text: objects with a constant `code` beside a `message` or a `rule`. */
import { chainOf, type Location, type RuleNode, ruleName, type Term, termsIn } from './ast.ts'
import type { Module } from './program.ts'

export interface ReasonLiteral {
  readonly code: string
  readonly codeAt: Location
  /** What the reason says about its rule, where that is constant. */
  readonly rule: string | undefined
  readonly ruleAt: Location | undefined
  readonly message: string | undefined
  /** Of the rule that the object stands in, with its package: `assay.access.abac.deny`. */
  readonly within: string
  readonly file: string
  readonly at: Location
  /** Where the head, or the expression in the body, begins that the object stands in. */
  readonly ruleRow: number
  /** One of several in an object, from which the rule picks: that the rule holds does not say that this one was given. */
  readonly listed: boolean
}

export function reasonsOf(module: Module): readonly ReasonLiteral[] {
  return module.rules.flatMap((rule) =>
    chainOf(rule).flatMap((one) =>
      reasonsIn(one, `${module.package.join('.')}.${ruleName(rule)}`, module.path),
    ),
  )
}

function reasonsIn({ body, head }: RuleNode, within: string, file: string): ReasonLiteral[] {
  return [head, ...body].flatMap((part) => {
    const ruleRow = part.location?.row ?? 1
    const listed = new Set(termsIn(part).flatMap(choicesOf))
    return termsIn(part).flatMap((term) => {
      const literal = literalOf(term)
      return literal === undefined
        ? []
        : [{ ...literal, within, file, ruleRow, listed: listed.has(term) }]
    })
  })
}

/** The members of an object, which a rule looks up by their keys. */
function choicesOf({ type, value }: Term): readonly Term[] {
  if (type !== 'object') return []
  return (value as readonly (readonly [Term, Term])[]).map(([, member]) => member)
}

function literalOf(
  term: Term,
): Omit<ReasonLiteral, 'file' | 'listed' | 'ruleRow' | 'within'> | undefined {
  if (term.type !== 'object') return undefined
  const members = new Map(
    (term.value as readonly (readonly [Term, Term])[]).map(([key, value]) => [key.value, value]),
  )
  const [code, message, rule] = ['code', 'message', 'rule'].map((name) => members.get(name))
  if (code?.type !== 'string' || (message === undefined && rule === undefined)) return undefined
  return {
    code: code.value as string,
    codeAt: code.location!,
    rule: constant(rule),
    ruleAt: rule?.location,
    message: message === undefined ? undefined : (constant(message) ?? 'computed'),
    at: term.location!,
  }
}

function constant(term: Term | undefined): string | undefined {
  return term?.type === 'string' ? (term.value as string) : undefined
}
