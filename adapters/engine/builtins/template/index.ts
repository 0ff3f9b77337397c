/** `strings.render_template`: Go's text/template over a policy's values. What is not there prints as `<undefined>`. */
import { isObject, type Value } from '../../value/value.ts'
import { type Builtin, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { variablesOf } from './datum.ts'
import { executed } from './execution.ts'
import { FUNCTION_NAMES } from './functions.ts'
import { Refused } from './lexer.ts'
import { parseTemplate } from './parser.ts'

const render: Builtin = (context, template: Value, variables: Value) => {
  if (typeof template !== 'string') return wrongType(context, 1, template, 'string')
  if (!isObject(variables)) return wrongType(context, 2, variables, 'object')
  context.spend(1 + Math.floor(template.length / 100))
  try {
    const text = executed(context, parseTemplate(template, FUNCTION_NAMES), variablesOf(variables))
    return text.replaceAll('<no value>', '<undefined>')
  } catch (error) {
    if (error instanceof Refused) return fail(context, `strings.render_template: ${error.message}`)
    throw error
  }
}

export const TEMPLATE: Family = { 'strings.render_template': render }
