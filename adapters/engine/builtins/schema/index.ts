/** Documents held against JSON Schemas, both as values or as JSON texts. */

import { parseValue } from '../../value/json.ts'
import { isArray, isObject, type Value } from '../../value/value.ts'
import { type Builtin, type Family, fail } from '../builtin.ts'
import { marshal, readJson } from '../json/index.ts'
import { checkSchema, NotASchema } from './check.ts'
import { TooDeep, validate } from './validate.ts'

/** Sets and other keys in their JSON form. Undefined for what is neither JSON text nor a container. */
function documentOf(value: Value): Value | undefined {
  if (typeof value === 'string') return readJson(value)
  return isObject(value) || isArray(value) ? parseValue(marshal(value)) : undefined
}

/** Why it is no schema; undefined where it is one. */
function whyNot(schema: Value): string | undefined {
  try {
    checkSchema(schema)
    return undefined
  } catch (error) {
    if (error instanceof NotASchema) return error.message
    if (error instanceof RangeError) return 'too deep'
    throw error
  }
}

const matchSchema: Builtin = (context, value: Value, schemaValue: Value) => {
  const document = documentOf(value)
  if (document === undefined) return fail(context, 'the document is no JSON text, object or array')
  const schema = documentOf(schemaValue)
  if (schema === undefined) return fail(context, 'the schema is no JSON text, object or array')
  if (whyNot(schema) !== undefined) return fail(context, 'the schema is not valid')
  try {
    const problems = validate(context, schema, document)
    return [
      problems.length === 0,
      problems.map(({ type, description, field }) => ({
        desc: description,
        error: `${field}: ${description}`,
        field,
        type,
      })),
    ]
  } catch (error) {
    if (error instanceof TooDeep) return fail(context, 'the document or the schema is too deep')
    throw error
  }
}

const verifySchema: Builtin = (_context, value: Value) => {
  const schema = documentOf(value)
  if (schema === undefined) {
    const why =
      typeof value === 'string' ? 'invalid JSON string' : 'wrong type, expected string or object'
    return [false, `jsonschema: ${why}`]
  }
  const why = whyNot(schema)
  return why === undefined ? [true, null] : [false, `jsonschema: ${why}`]
}

export const JSON_SCHEMA: Family = {
  'json.match_schema': matchSchema,
  'json.verify_schema': verifySchema,
}
