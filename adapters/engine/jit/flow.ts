/** Statements that hold others: blocks, scans, negations and `with`. */

import { callFormatted } from './calls.ts'
import { constantAt } from './constants.ts'
import { formattedAt, literalAt } from './literals.ts'
import type { Block, Statement, StatementOf } from './plan.ts'
import { scanKeys } from './scan-keys.ts'
import { type At, expression, label, told, within } from './scope.ts'
import { member, result, simple } from './statements.ts'
import { Label, quote } from './text.ts'
import { visit } from './visit.ts'

export function blockCode(block: Block, at: At): string {
  const parts: string[] = []
  for (let i = 0; i < block.length; i++) {
    const formatted = at.scope.program.trace ? undefined : formattedAt(block, i, at)
    if (formatted === undefined) parts.push(statementCode(block, i, at))
    else {
      parts.push(callFormatted(formatted, at))
      i += formatted.values.count + 1
    }
  }
  return parts.join('\n')
}

function statementCode(block: Block, i: number, at: At): string {
  const known = constantAt(block, i, at) ?? literalAt(block, i)
  if (known !== undefined) return known
  const statement = block[i] as Statement
  switch (statement.type) {
    case 'BlockStmt':
      return blocksCode(statement.blocks, at)
    case 'NotStmt':
      return not(statement, at)
    case 'Result':
      return result(statement)
    case 'ScanStmt':
      return scan(statement, at)
    case 'WithStmt':
      return withValue(statement, at)
    default:
      return simple(statement, at)
  }
}

/** Each block as far as it goes, one after the other. */
export function blocksCode(blocks: readonly Block[], at: At): string {
  return blocks
    .map((block) => {
      const end = label(at)
      return end.around(`{\n${blockCode(block, within(at, end))}\n}`)
    })
    .join('\n')
}

function not(statement: StatementOf<'NotStmt'>, at: At): string {
  const { passed, failed, number } = told(at, statement)
  const { trace } = at.scope.program
  const inner = label(at)
  const open = trace ? `T.open(${number},[]);` : ''
  const close = trace ? `T.close(${number});` : ''
  const body = blockCode(statement.block, within(at, inner))
  return `${open}${inner.around(`{\n${body}\n${close}${failed()}\n}`)}${close}${passed()}`
}

function scan(statement: StatementOf<'ScanStmt'>, at: At): string {
  const { program } = at.scope
  const { number } = told(at, statement)
  const { next, behind } = Label.loop(`L${at.scope.fresh()}`)
  const n = String(at.scope.fresh())
  const [key, value] = [`l${statement.key}`, `l${statement.value}`]
  const body = blockCode(statement.block, within(at, behind, next))
  const [open, element, close] = program.trace
    ? [
        `T.open(${number},[l${statement.source}]);`,
        `T.element(${number},${key},${value});`,
        `T.close(${number});`,
      ]
    : ['', '', '']
  const { found, indexed } = candidates(statement, at, n)
  // Arrays are walked by position; all else, and what an index found, by a list of keys.
  const take = indexed
    ? `${key}=k${n}===null?i${n}:k${n}[i${n}];${value}=a${n}?s${n}[${key}]:get(s${n},${key});`
    : `if(a${n}){${key}=i${n};${value}=s${n}[i${n}];}else{${key}=k${n}[i${n}];${value}=get(s${n},${key});}`
  const loop = next.around(`for(let i${n}=0;i${n}<n${n};i${n}++){${take}${element}\n${body}\n}`)
  const source = `const s${n}=l${statement.source},a${n}=isArray(s${n});let k${n}=null,n${n}=0;`
  return `${open}{${source}${found}if((S-=n${n})<0)exhausted();\n${loop}}${close}`
}

/** Sets `k` (keys, null for all positions of an array) and `n` (how many) for the scan of `s`. */
function candidates(
  statement: StatementOf<'ScanStmt'>,
  at: At,
  n: string,
): { readonly found: string; readonly indexed: boolean } {
  const { program } = at.scope
  const kept = !program.trace && at.data.has(statement.source)
  const sorted = program.trace || isOrdered(statement)
  const list = kept ? (sorted ? 'keptSorted' : 'keptKeys') : sorted ? 'sortedKeysOf' : 'keysOf'
  const all = `if(a${n})n${n}=s${n}.length;else if((k${n}=${list}(s${n}))!==null)n${n}=k${n}.length;`
  const keys = kept ? scanKeys(statement) : []
  if (keys.length === 0) return { found: all, indexed: false }
  const index = program.constant(`R.caches.index(${keys.map(({ field }) => quote(field)).join()})`)
  const names = keys.map((_, i) => `q${n}_${i}`)
  const fixed = keys.map(({ fixed: { operand, path } }, i) => {
    const value = path.reduce((from, name) => member(from, name, at), expression(operand))
    return `${names[i]}=${value}`
  })
  const known = names.map((name) => `${name}!==undefined`).join('&&')
  const found = `const ${fixed.join()};if(${known}){if((k${n}=${index}.find(s${n},${names.join()}))!==null)n${n}=k${n}.length;else{${all}}}`
  return { found, indexed: true }
}

/** Whether it shows in which order elements come: an array outside the scan is filled by it. */
function isOrdered({ block }: StatementOf<'ScanStmt'>): boolean {
  const own = new Set<number>()
  let ordered = false
  visit([block], (statement) => {
    if (statement.type === 'MakeArrayStmt') own.add(statement.target)
    if (statement.type === 'ArrayAppendStmt' && !own.has(statement.array)) ordered = true
  })
  return ordered
}

function withValue(statement: StatementOf<'WithStmt'>, at: At): string {
  const { local, path, value, block } = statement
  const { number } = told(at, statement)
  const { trace } = at.scope.program
  const [kept, replaced] = [`w${at.scope.fresh()}`, expression(value)]
  const [inner, done] = [label(at), label(at)]
  const body = blockCode(block, within(at, inner))
  const put =
    path.length === 0 ? replaced : `upsert(l${local},[${path.map(quote).join()}],${replaced})`
  const open = trace ? `T.open(${number},[${replaced}]);` : ''
  const close = trace ? `T.close(${number});` : ''
  const back = `l${local}=${kept};${close}`
  const failing = inner.around(`{\n${body}\n${done.go()}}`)
  return `${open}const ${kept}=l${local};l${local}=${put};\n${done.around(`{${failing}${back}${at.labels.at(-1)?.go() ?? 'return;'}}`)}${back}`
}
