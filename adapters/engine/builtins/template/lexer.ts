/** Go's text/template in pieces: texts, and actions as tokens. @see https://pkg.go.dev/text/template */

/** A template that is malformed, or that cannot be carried out. Never leaves the built-in. */
export class Refused extends Error {}

export type Token =
  | {
      readonly type: 'char' | 'number' | 'string' | 'variable' | 'field' | 'word'
      readonly text: string
    }
  | { readonly type: 'dot' | 'space'; readonly text: '' }
  | { readonly type: 'sign'; readonly text: string }

export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly tokens: readonly Token[] }

const BLANKS = '[ \\t\\r\\n]'
const COMMENT = new RegExp(`^(?:-${BLANKS})?/\\*`)
const COMMENT_END = new RegExp(`\\*/(?:${BLANKS}-)?\\}\\}`, 'g')

export function piecesOf(template: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = template.indexOf('{{', at)
    const trims = open >= 0 && new RegExp(`^-${BLANKS}`).test(template.slice(open + 2, open + 4))
    let text = template.slice(at, open < 0 ? template.length : open)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    if (trims) text = trimmedEnd(text)
    if (text !== '') pieces.push({ type: 'text', text })
    if (open < 0) return pieces
    const rest = template.slice(open + 2)
    const action = COMMENT.test(rest) ? comment(rest) : actionIn(trims ? rest.slice(1) : rest)
    if (action.tokens !== undefined) pieces.push({ type: 'action', tokens: action.tokens })
    at = open + 2 + action.length + (action.tokens !== undefined && trims ? 1 : 0)
    trimNext = action.trims
  }
}

function trimmedEnd(text: string): string {
  let end = text.length
  while (end > 0 && ' \t\r\n'.includes(text[end - 1] as string)) end--
  return text.slice(0, end)
}

interface Action {
  /** None for a comment. */
  readonly tokens: readonly Token[] | undefined
  readonly length: number
  readonly trims: boolean
}

function comment(rest: string): Action {
  COMMENT_END.lastIndex = rest.indexOf('/*') + 2
  const end = COMMENT_END.exec(rest)
  const closes = rest.indexOf('*/', rest.indexOf('/*') + 2)
  if (end === null || end.index !== closes) throw new Refused('unclosed comment')
  return { tokens: undefined, length: end.index + end[0].length, trims: end[0].includes('-') }
}

/** What an action is made of, each where the last one ended. */
const PARTS: readonly (readonly [Token['type'] | 'end', RegExp])[] = [
  ['end', /(?:[ \t\r\n]-)?\}\}/y],
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])+'/y],
  [
    'number',
    /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?)(?![\p{L}\p{Nd}_])/uy,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['dot', /\.(?![\p{L}\p{Nd}_])/uy],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['sign', /:=|[=|(),]/y],
]

function actionIn(source: string): Action {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const part = partAt(source, at)
    at += part.text.length
    if (part.type === 'end') return { tokens, length: at, trims: part.text.includes('-') }
    const bare = part.type === 'dot' || part.type === 'space'
    tokens.push({ type: part.type, text: bare ? '' : part.text } as Token)
  }
  throw new Refused('unclosed action')
}

function partAt(source: string, at: number): { type: Token['type'] | 'end'; text: string } {
  for (const [type, pattern] of PARTS) {
    pattern.lastIndex = at
    const text = pattern.exec(source)?.[0]
    if (text !== undefined) return { type, text }
  }
  throw new Refused('unexpected character in an action')
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** The text that a literal of Go stands for. */
export function unquoted(literal: string): string {
  const inner = literal.slice(1, -1)
  if (literal.startsWith('`')) return inner
  return inner.replace(
    /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|x([\da-fA-F]{2})|([0-7]{3})|(.))/gsu,
    (_all, four, eight, byte, octal, short) => {
      const hex: string | undefined = four ?? eight ?? byte
      const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16)
      const known = SHORT[short ?? '']
      if (known !== undefined) return known
      const isBytes = (byte ?? octal) !== undefined
      if (Number.isNaN(code) || code > (isBytes ? 0x7f : 0x10ffff))
        throw new Refused('a literal that is not valid')
      return String.fromCodePoint(code)
    },
  )
}
