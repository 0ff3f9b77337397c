/** The JSON files of a bundle: each has one reading, and a refusal names the file. */
import { type Json, type JsonLimits, parseJson } from '../../core/json.ts'
import type { Schema } from '../../core/schema.ts'
import { BundleRefusal, type BundleRefusalCode } from './refusal.ts'

/** @throws BundleRefusal with `code`: not strict JSON within the limits */
export function strictJson(
  file: string,
  bytes: Uint8Array,
  code: BundleRefusalCode,
  limits?: JsonLimits,
): Json {
  try {
    return parseJson(bytes, limits)
  } catch (cause) {
    throw new BundleRefusal(code, `${file} is not strict JSON`, { cause })
  }
}

/** @throws BundleRefusal with `code`: not of this form */
export function checkForm(
  file: string,
  value: Json,
  code: BundleRefusalCode,
  format: Schema<unknown>,
): void {
  const problem = format.problem(value, '')
  if (problem !== undefined) throw new BundleRefusal(code, `${file} ${problem}`)
}
