/** What type a value has, and the casts that OPA still knows, which only let their own type through. */
import { isNumber } from '../../value/number.ts'
import { isArray, isObject, RegoSet, typeName, type Value } from '../../value/value.ts'
import type { Builtin, Family } from '../builtin.ts'
import { elementsOf, wrongType } from '../operands.ts'

function asks(holds: (value: Value) => boolean): Builtin {
  return (_context, value: Value) => holds(value)
}

function casts(type: string): Builtin {
  return (context, value: Value) =>
    typeName(value) === type ? value : wrongType(context, 1, value, type)
}

export const TYPES: Family = {
  is_array: asks(isArray),
  is_boolean: asks((value) => typeof value === 'boolean'),
  is_null: asks((value) => value === null),
  is_number: asks(isNumber),
  is_object: asks(isObject),
  is_set: asks((value) => value instanceof RegoSet),
  is_string: asks((value) => typeof value === 'string'),
  type_name: (_context, value: Value) => typeName(value),
  cast_array: (context, value: Value) =>
    elementsOf(value) ?? wrongType(context, 1, value, 'array', 'set'),
  cast_boolean: casts('boolean'),
  cast_null: casts('null'),
  cast_object: casts('object'),
  cast_set: (context, value: Value) => {
    if (value instanceof RegoSet) return value
    return isArray(value) ? RegoSet.of(value) : wrongType(context, 1, value, 'array', 'set')
  },
  cast_string: casts('string'),
}
