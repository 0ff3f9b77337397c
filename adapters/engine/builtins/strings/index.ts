import type { Family } from '../builtin.ts'
import { AFFIX } from './affix.ts'
import { CASE } from './case.ts'
import { ENCODING } from './encoding.ts'
import { REPLACE } from './replace.ts'
import { SEARCH } from './search.ts'
import { SPLIT } from './split.ts'
import { SPRINTF } from './sprintf.ts'
import { TEMPLATE_STRING } from './template-string.ts'
import { TRIM } from './trim.ts'
import { URL_QUERY } from './url-query.ts'

export const STRINGS: Family = {
  ...AFFIX,
  ...CASE,
  ...ENCODING,
  ...REPLACE,
  ...SEARCH,
  ...SPLIT,
  ...SPRINTF,
  ...TEMPLATE_STRING,
  ...TRIM,
  ...URL_QUERY,
}
