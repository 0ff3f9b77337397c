/** Statements that hold others: blocks, scans, negations and `with`. */
import type { Block, StatementOf } from './plan.ts'
import { type At, expression, label, told, within } from './scope.ts'
import { simple } from './statements.ts'
import { Label, quote } from './text.ts'
import { visit } from './visit.ts'

export function blockCode(block: Block, at: At): string {
  return block
    .map((statement) => {
      switch (statement.type) {
        case 'BlockStmt':
          return blocksCode(statement.blocks, at)
        case 'NotStmt':
          return not(statement, at)
        case 'ScanStmt':
          return scan(statement, at)
        case 'WithStmt':
          return withValue(statement, at)
        default:
          return simple(statement, at)
      }
    })
    .join('\n')
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
  const n = at.scope.fresh()
  const [key, value] = [`l${statement.key}`, `l${statement.value}`]
  const body = blockCode(statement.block, within(at, behind, next))
  const keys = program.trace || isOrdered(statement) ? 'sortedKeysOf' : 'keysOf'
  const [open, element, close] = program.trace
    ? [
        `T.open(${number},[l${statement.source}]);`,
        `T.element(${number},${key},${value});`,
        `T.close(${number});`,
      ]
    : ['', '', '']
  const loop = next.around(
    `for(let i${n}=0;i${n}<n${n};i${n}++){${key}=a${n}?i${n}:k${n}[i${n}];${value}=a${n}?s${n}[i${n}]:get(s${n},${key});${element}\n${body}\n}`,
  )
  return `${open}{const s${n}=l${statement.source},a${n}=isArray(s${n}),k${n}=a${n}?s${n}:${keys}(s${n}),n${n}=k${n}===null?0:k${n}.length;if((S-=n${n})<0)exhausted();\n${loop}}${close}`
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
