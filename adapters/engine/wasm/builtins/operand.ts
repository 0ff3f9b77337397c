/** What host built-ins take and give. */
import type { Json } from '../../../../core/json.ts'

/** One argument, read when it is asked for: as JSON, where sets are arrays, or in Rego notation, where nothing is lost. */
export interface Operand {
  json(): Json
  term(): string
}
/** A value as JSON text, for numbers that a double cannot hold. */
export class JsonText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export interface Context {
  /** The decision's own time, Unix seconds; undefined where the input names none. */
  readonly now: number | undefined
}
/** Undefined is Rego's undefined. What it throws ends the evaluation. */
export type HostBuiltin = (
  operands: readonly Operand[],
  context: Context,
) => Json | JsonText | undefined

/** What this engine does not do the way OPA does, and so does not do at all. */
export class Unsupported extends Error {}

/** Of functions on texts alone; anything else as an argument is undefined. */
export function onTexts(
  of: (...texts: readonly string[]) => Json | JsonText | undefined,
): HostBuiltin {
  return (operands) => {
    const texts = operands.map((operand) => operand.json())
    return texts.every((text) => typeof text === 'string') ? of(...texts) : undefined
  }
}
