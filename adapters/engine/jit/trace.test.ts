/** What a traced program tells, and that it says what an untraced one says. */
import { expect, test } from 'vitest'
import { bundle } from '../../../test/rego.ts'
import type { Value } from '../value/value.ts'
import { compilePlan } from './program.ts'
import type { Seen, Trace } from './trace.ts'

interface Event {
  readonly what: keyof Trace
  readonly number: number
  readonly values: readonly Seen[]
}

class Recorder implements Trace {
  readonly events: Event[] = []
  enter(number: number, args: readonly Seen[]): void {
    this.#add('enter', number, args)
  }
  leave(number: number, value: Seen): void {
    this.#add('leave', number, [value])
  }
  again(number: number, value: Seen): void {
    this.#add('again', number, [value])
  }
  open(number: number, values: readonly Seen[]): void {
    this.#add('open', number, values)
  }
  element(number: number, key: Value, value: Value): void {
    this.#add('element', number, [key, value])
  }
  close(number: number): void {
    this.#add('close', number, [])
  }
  passed(number: number, values: readonly Seen[]): void {
    this.#add('passed', number, values)
  }
  failed(number: number, values: readonly Seen[]): void {
    this.#add('failed', number, values)
  }
  #add(what: keyof Trace, number: number, values: readonly Seen[]): void {
    this.events.push({ what, number, values })
  }
}

const REGO = `default decision := "no"

decision := "yes" if {
	allowed
	not banned(input.user)
	count(reasons) == 0
}

allowed if input.action == "read"

allowed if input.action == "list"

allowed if input.admin

banned(u) if u in data.banned

reasons contains r if {
	some r in input.reasons
	r != "fine"
}`

async function traced(input: Value, data: Value = { banned: ['bob'] }) {
  const { plan } = await bundle(REGO)
  const tracer = new Recorder()
  const program = compilePlan(plan, { trace: true, tracer })
  const answer = program.evaluate('p/decision', input, data)
  expect(answer).toEqual(compilePlan(plan).evaluate('p/decision', input, data))
  const told = tracer.events.map(({ what, number, values }) => {
    const of = ['enter', 'leave', 'again'].includes(what)
    const place = of ? undefined : program.table.statements[number]
    const where = of
      ? program.table.functions[number]!.path.join('/')
      : `${place!.row}:${place!.kind}`
    return { what, where, values, place }
  })
  return { answer, told }
}

test('every body is tried, though the first one settles the rule', async () => {
  const { told } = await traced({ user: 'ann', action: 'read', reasons: [] })
  const compared = told.filter(({ place }) => place?.kind === 'EqualStmt' && place.row > 10)
  expect(compared.map(({ what, values, place }) => [what, values, place!.row])).toEqual([
    ['passed', ['read', 'read'], 11],
    ['failed', ['read', 'list'], 13],
  ])
  expect(compared[0]!.place).toMatchObject({ file: 'p/p.rego', col: 12 })
})

test('what failed says what it saw', async () => {
  const { answer, told } = await traced({ user: 'bob', action: 'list', reasons: ['fine'] })
  expect(answer).toBe('no')
  const failed = told.filter(
    ({ what, place }) => what === 'failed' && place?.kind !== 'IsDefinedStmt',
  )
  // The first body of `allowed`, its third, and the negation that `banned` makes fail.
  expect(failed.map(({ where }) => where)).toEqual(['11:EqualStmt', '15:DotStmt', '7:NotStmt'])
  expect(failed[0]!.values).toEqual(['list', 'read'])
  expect(failed[1]!.values).toEqual([{ user: 'bob', action: 'list', reasons: ['fine'] }, 'admin'])
  const entered = told.find(({ what, where }) => what === 'enter' && where === 'p/banned')
  expect(entered?.values).toEqual(['bob'])
  const left = told.find(({ what, where }) => what === 'leave' && where === 'p/banned')
  expect(left?.values).toEqual([true])
})

test('scans tell their elements in order, and a rule is entered once', async () => {
  const { told } = await traced({ user: 'ann', action: 'list', reasons: ['b', 'fine', 'a'] })
  const elements = told.filter(({ what }) => what === 'element')
  expect(elements.map(({ values }) => values)).toEqual([
    [0, 'b'],
    [1, 'fine'],
    [2, 'a'],
  ])
  const added = told.filter(({ what, where }) => what === 'passed' && where.endsWith('SetAddStmt'))
  expect(added.map(({ values }) => values)).toEqual([['b'], ['a']])
  const entered = told.filter(({ what }) => what === 'enter').map(({ where }) => where)
  expect(new Set(entered).size).toBe(entered.length)
})

test('events nest, and names lead to the sources', async () => {
  const { told } = await traced({ user: 'ann', action: 'list', reasons: [] })
  const open: string[] = []
  for (const { what, where } of told) {
    if (what === 'enter' || what === 'open') open.push(where)
    if (what === 'leave' || what === 'close') expect(open.pop()).toBe(where)
  }
  expect(open).toEqual([])
  const member = told.find(({ place }) => place?.callee === 'internal.member_2')
  expect(member).toMatchObject({
    what: 'passed',
    values: ['ann', ['bob'], false],
    place: { row: 17 },
  })
  expect(told.find(({ place }) => place?.key === 'action')?.values.at(-1)).toBe('list')
})

test('a program that is not traced calls nobody', async () => {
  const { plan } = await bundle(REGO)
  const tracer = new Recorder()
  compilePlan(plan, { tracer }).evaluate('p/decision', { action: 'read' }, {})
  expect(tracer.events).toEqual([])
})
