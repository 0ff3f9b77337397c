/** Pieces of program text. */

/** A literal that cannot end the text it stands in: not a string, not a line (U+2028, U+2029), not a `<script>`. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff<>&]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A place that a `break` or a `continue` leads to; the label is written only where something leads there. */
/** What is made is paid for, so that the steps of an evaluation bound its memory too. About 16 bytes a step. */
export const PRICE = { container: 8, member: 4, value: 4 } as const

/** Code that takes so many steps. */
export function pay(steps: number): string {
  return `if((S-=${steps})<0)exhausted();`
}

export class Label {
  readonly name: string
  readonly #word: 'break' | 'continue'
  readonly #used: { is: boolean }

  private constructor(name: string, word: 'break' | 'continue', used: { is: boolean }) {
    this.name = name
    this.#word = word
    this.#used = used
  }

  static block(name: string): Label {
    return new Label(name, 'break', { is: false })
  }

  /** The two places of one loop: its next round, and behind it. */
  static loop(name: string): { readonly next: Label; readonly behind: Label } {
    const used = { is: false }
    return { next: new Label(name, 'continue', used), behind: new Label(name, 'break', used) }
  }

  /** The statement that goes there. */
  go(): string {
    this.#used.is = true
    return `${this.#word} ${this.name};`
  }

  /** `code` as what this label names. */
  around(code: string): string {
    return this.#used.is ? `${this.name}:${code}` : code
  }
}
