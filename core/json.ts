export type Json =
  | boolean
  | null
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** Strict JSON. */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json
}
