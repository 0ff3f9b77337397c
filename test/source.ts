/** What the rules about source text need to know of a file: its imports, the code lines of it and of each function, and some names. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import { parseAst } from 'vitest/node'

export const root: string = resolve(import.meta.dirname, '..')

export interface Import {
  readonly from: string
  /** Only types: gone at run time. */
  readonly typeOnly: boolean
  /** The repository path it leads to, or undefined for a package or a built-in. */
  readonly path: string | undefined
}
export interface Func {
  readonly name: string
  readonly line: number
  /** Its own code lines: those of functions inside it count for them. */
  readonly lines: number
}
export interface Source {
  readonly path: string
  readonly text: string
  readonly codeLines: number
  readonly imports: readonly Import[]
  readonly functions: readonly Func[]
  /** Dotted names that are read or called, for example `Date.now`, with `new Date()` as a name of its own. */
  readonly names: ReadonlyMap<string, number>
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Every file that git tracks or would track, as paths with `/`. */
export function repositoryFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root })
  const paths = listed.toString('utf8').split('\0')
  return paths.filter((path) => path !== '' && existsSync(join(root, path))).sort()
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Parses one TypeScript file of the repository. */
export function readSource(path: string): Source {
  const text = readText(path)
  const program = parseAst(text, { lang: 'ts' }) as unknown as Node
  const nodes = [...walk(program)]
  const code = codeLineNumbers(text, nodes)
  return {
    path,
    text,
    codeLines: code.filter(Boolean).length,
    imports: nodes.flatMap((node) => importOf(path, node)),
    functions: functionsOf(text, nodes, code),
    names: namesOf(text, nodes),
  }
}

function* walk(node: Node): Generator<Node> {
  yield node
  for (const member of Object.values(node)) {
    if (isNode(member)) yield* walk(member)
    else if (Array.isArray(member)) for (const item of member) if (isNode(item)) yield* walk(item)
  }
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0
const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

/** For each line (0-based) whether it holds anything but white space and comments. */
function codeLineNumbers(text: string, nodes: readonly Node[]): boolean[] {
  const masked = text.split('')
  for (const { type, start, end } of nodes) {
    // A comment mark inside a string, template or regular expression is not a comment.
    if (type !== 'Literal' && type !== 'TemplateElement') continue
    for (let i = start; i < end; i++) if (masked[i] !== '\n') masked[i] = 'x'
  }
  const bare = masked
    .join('')
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/\/\/[^\n]*/g, '')
  return bare.split('\n').map((line) => line.trim() !== '')
}

function importOf(path: string, node: Node): Import[] {
  const source = node.type === 'TSImportType' ? node.argument : node.source
  if (!isNode(source) || source.type !== 'Literal' || typeof source.value !== 'string') return []
  const from = source.value
  return [
    {
      from,
      typeOnly: isTypeOnly(node),
      path: from.startsWith('.') ? posix.join(dirname(path), from) : undefined,
    },
  ]
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType') return true
  return node.importKind === 'type' || node.exportKind === 'type'
}

const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionDeclaration', 'FunctionExpression'])

function functionsOf(text: string, nodes: readonly Node[], code: readonly boolean[]): Func[] {
  const functions = nodes.filter(({ type, body }) => FUNCTIONS.has(type) && isNode(body))
  return functions.map((node) => {
    const [first, last] = [lineAt(text, node.start), lineAt(text, node.end)]
    const inner = functions
      .filter(({ start, end }) => start > node.start && end < node.end)
      .map(({ start, end }) => [lineAt(text, start), lineAt(text, end)] as const)
    let lines = 0
    for (let line = first; line <= last; line++) {
      const belongsInside = inner.some(([from, to]) => from < line && line <= to)
      if (code[line - 1] && !belongsInside) lines++
    }
    const name = isNode(node.id) ? String(node.id.name) : 'function'
    return { name, line: first, lines }
  })
}

function namesOf(text: string, nodes: readonly Node[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  const add = (name: string, { start }: Node): void => {
    if (!names.has(name)) names.set(name, lineAt(text, start))
  }
  for (const node of nodes) {
    if (node.type === 'MemberExpression') add(text.slice(node.start, node.end), node)
    if (node.type === 'TSAnyKeyword') add('any', node)
    if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.type === 'Identifier')
      add(String(node.callee.name), node)
    if (node.type === 'NewExpression' && isNode(node.callee) && isEmpty(node.arguments))
      add(`new ${text.slice(node.callee.start, node.callee.end)}()`, node)
  }
  return names
}
