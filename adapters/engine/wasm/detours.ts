/** The built-ins that OPA's WebAssembly runtime has in C and answers otherwise than OPA's evaluator: the shared library has them instead. */
import { BUILTINS, type Builtin } from '../builtins/index.ts'
import type { Detour } from './reroute.ts'

type Entry = readonly [name: string, cName: string, operands: number]

/** C reckons in decimals of many digits; OPA in integers of any size and binary floats of 64 bits. Ranges have no budget in C. */
const NUMBERS: readonly Entry[] = [
  ['plus', 'opa_arith_plus', 2],
  ['minus', 'opa_arith_minus', 2],
  ['mul', 'opa_arith_multiply', 2],
  ['div', 'opa_arith_divide', 2],
  ['rem', 'opa_arith_rem', 2],
  ['abs', 'opa_arith_abs', 1],
  ['round', 'opa_arith_round', 1],
  ['ceil', 'opa_arith_ceil', 1],
  ['floor', 'opa_arith_floor', 1],
  ['sum', 'opa_agg_sum', 1],
  ['product', 'opa_agg_product', 1],
  ['numbers.range', 'opa_numbers_range', 2],
  ['format_int', 'opa_strings_format_int', 2],
  ['to_number', 'opa_to_number', 1],
  ['bits.or', 'opa_bits_or', 2],
  ['bits.and', 'opa_bits_and', 2],
  ['bits.xor', 'opa_bits_xor', 2],
  ['bits.negate', 'opa_bits_negate', 1],
  ['bits.lsh', 'opa_bits_shiftleft', 2],
  ['bits.rsh', 'opa_bits_shiftright', 2],
]

/** C writes sets and objects in the order of a hash table, cuts texts by other rules, and never ends replacing the empty text. */
const TEXTS: readonly Entry[] = [
  ['concat', 'opa_strings_concat', 2],
  ['internal.template_string', 'opa_template_string', 1],
  ['indexof', 'opa_strings_indexof', 2],
  ['substring', 'opa_strings_substring', 3],
  ['lower', 'opa_strings_lower', 1],
  ['upper', 'opa_strings_upper', 1],
  ['split', 'opa_strings_split', 2],
  ['replace', 'opa_strings_replace', 3],
  ['strings.replace_n', 'opa_strings_replace_n', 2],
  ['trim', 'opa_strings_trim', 2],
  ['trim_left', 'opa_strings_trim_left', 2],
  ['trim_right', 'opa_strings_trim_right', 2],
  ['trim_space', 'opa_strings_trim_space', 1],
]

/** C takes what is no JSON and no base64 for some, writes members in the order of a hash table, and compiles a pattern at each call. */
const NOTATIONS: readonly Entry[] = [
  ['json.marshal', 'opa_json_marshal', 1],
  ['json.unmarshal', 'opa_json_unmarshal', 1],
  ['json.is_valid', 'opa_json_is_valid', 1],
  ['json.filter', 'builtin_json_filter', 2],
  ['json.remove', 'builtin_json_remove', 2],
  ['base64.encode', 'opa_base64_encode', 1],
  ['base64.decode', 'opa_base64_decode', 1],
  ['base64.is_valid', 'opa_base64_is_valid', 1],
  ['base64url.encode', 'opa_base64_url_encode', 1],
  ['base64url.decode', 'opa_base64_url_decode', 1],
  ['glob.match', 'opa_glob_match', 3],
  ['regex.is_valid', 'opa_regex_is_valid', 1],
  ['regex.match', 'opa_regex_match', 2],
  ['regex.find_all_string_submatch_n', 'opa_regex_find_all_string_submatch', 3],
  ['net.cidr_contains', 'opa_cidr_contains', 2],
  ['net.cidr_intersects', 'opa_cidr_intersects', 2],
]

/** In C the union of no objects is undefined. */
const UNIONS: readonly Entry[] = [['object.union_n', 'builtin_object_union_n', 1]]

export const REROUTED: readonly Entry[] = [...NUMBERS, ...TEXTS, ...NOTATIONS, ...UNIONS]

/** Beyond any number that a module gives to its own host built-ins. */
const FIRST_ID = 1 << 20

export const DETOURS: readonly Detour[] = REROUTED.map(([, cName, operands], i) => ({
  cName,
  operands,
  id: FIRST_ID + i,
}))

/** The host's function that goes through sets and objects. */
export const NEXT: number = FIRST_ID - 1

/** By the numbers of {@link DETOURS}. */
export const DETOURED: ReadonlyMap<number, Builtin> = new Map(
  REROUTED.map(([name], i) => [FIRST_ID + i, BUILTINS.get(name) as Builtin] as const),
)
