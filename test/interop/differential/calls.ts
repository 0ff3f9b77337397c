/** Built-ins that generated programs call: every engine must give OPA's answer. */
import type { Type } from './names.ts'

export interface Call {
  readonly name: string
  /** The types that each operand may have, beside `any`; or its text. */
  readonly operands: readonly (readonly Type[] | string)[]
  readonly type: Type
}

const ALL: readonly Type[] = [
  'array',
  'boolean',
  'null',
  'number',
  'object',
  'opaque',
  'set',
  'string',
]
const COUNTED: readonly Type[] = ['array', 'object', 'set', 'string']
/** Elements may have the wrong type for what follows: only `any` fits. */
const NONE: readonly Type[] = []

export const CALLS: readonly Call[] = [
  { name: 'abs', operands: [['number']], type: 'number' },
  { name: 'array.concat', operands: [['array'], ['array']], type: 'array' },
  { name: 'array.reverse', operands: [['array']], type: 'array' },
  { name: 'array.slice', operands: [['array'], ['number'], ['number']], type: 'array' },
  { name: 'ceil', operands: [['number']], type: 'number' },
  { name: 'concat', operands: ['","', NONE], type: 'string' },
  { name: 'contains', operands: [['string'], ['string']], type: 'boolean' },
  { name: 'count', operands: [COUNTED], type: 'number' },
  { name: 'format_int', operands: [['number'], '10'], type: 'string' },
  { name: 'intersection', operands: [NONE], type: 'opaque' },
  { name: 'is_array', operands: [ALL], type: 'boolean' },
  { name: 'is_number', operands: [ALL], type: 'boolean' },
  { name: 'is_object', operands: [ALL], type: 'boolean' },
  { name: 'is_set', operands: [ALL], type: 'boolean' },
  { name: 'is_string', operands: [ALL], type: 'boolean' },
  { name: 'json.marshal', operands: [ALL], type: 'string' },
  { name: 'lower', operands: [['string']], type: 'string' },
  { name: 'max', operands: [['array', 'set']], type: 'opaque' },
  { name: 'min', operands: [['array', 'set']], type: 'opaque' },
  { name: 'numbers.range', operands: [['number'], '3'], type: 'array' },
  { name: 'object.get', operands: [['object'], ALL, ALL], type: 'opaque' },
  { name: 'object.keys', operands: [['object']], type: 'set' },
  { name: 'object.remove', operands: [['object'], '["a", "l"]'], type: 'opaque' },
  { name: 'object.union', operands: [['object'], ['object']], type: 'object' },
  { name: 'round', operands: [['number']], type: 'number' },
  { name: 'sort', operands: [['array', 'set']], type: 'array' },
  { name: 'split', operands: [['string'], '"b"'], type: 'array' },
  { name: 'sprintf', operands: ['"%v-%v"', ['array']], type: 'string' },
  { name: 'startswith', operands: [['string'], ['string']], type: 'boolean' },
  { name: 'substring', operands: [['string'], '1', '2'], type: 'string' },
  { name: 'sum', operands: [NONE], type: 'number' },
  { name: 'to_number', operands: [['boolean', 'null', 'number', 'string']], type: 'number' },
  { name: 'type_name', operands: [ALL], type: 'string' },
  { name: 'union', operands: [NONE], type: 'opaque' },
  { name: 'upper', operands: [['string']], type: 'string' },
]
