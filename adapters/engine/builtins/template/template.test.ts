import { describe, expect, it } from 'vitest'
import { contextOf, ours } from '../../../../test/builtins.ts'
import { readNumber } from '../../value/number.ts'
import { RegoSet, type Value } from '../../value/value.ts'
import { BUILTINS } from '../index.ts'

const VARIABLES: Value = {
  e: '',
  half: readNumber('0.5') as Value,
  l: ['a', 1, null],
  m: { a: 'x', b: 1 },
  n: 5,
  no: false,
  nothing: null,
  s: '<hi>',
  yes: true,
  z: 0,
}

/** Written by OPA 1.22. */
const SAID: readonly (readonly [template: string, text: string])[] = [
  ['{{.s}} {{.n}} {{.half}} {{.yes}}', '<hi> 5 0.5 true'],
  ['{{.gone}} {{.gone.more}} {{.nothing}}', '<undefined> <undefined> <undefined>'],
  ['{{.l}} {{.m}}', '[a 1 <nil>] map[a:x b:1]'],
  ['a {{- " b " -}} c', 'a b c'],
  ['a{{/* unseen */}}b {{- /* unseen */ -}} c', 'abc'],
  ['{{if .z}}a number is a text{{end}}', 'a number is a text'],
  ['{{if .e}}x{{else if .no}}y{{else}}z{{end}}', 'z'],
  ['{{range $i, $e := .l}}{{$i}}={{$e}};{{end}}', '0=a;1=1;2=<undefined>;'],
  ['{{range $k, $v := .m}}{{$k}}:{{$v}} {{end}}', 'a:x b:1 '],
  ['{{range .nothing}}x{{else}}none{{end}}', 'none'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{range .l}}{{if .}}{{continue}}{{end}}z{{end}}', 'z'],
  ['{{range .l}}{{.}}{{break}}{{end}}', 'a'],
  ['{{with .m}}{{.a}}{{$.n}}{{end}}', 'x5'],
  ['{{$x := 1}}{{range .l}}{{$x = .}}{{end}}{{$x}}', '<undefined>'],
  ['{{define "T"}}[{{.}}]{{end}}{{template "T" .s}}', '[<hi>]'],
  ['{{block "B" .n}}<{{.}}>{{end}}', '<5>'],
  ['{{.s | printf "%q %v %5s" .n true}}', '"5" true  <hi>'],
  ['{{html .s}} {{js .s}} {{urlquery .s}}', '&lt;hi&gt; \\u003Chi\\u003E %3Chi%3E'],
  ['{{len .s}} {{len .l}} {{index .l 0}} {{index .m "b"}} {{slice .s 1 3}}', '4 3 a 1 hi'],
  ['{{eq .n "5"}} {{eq 1 2 1}} {{ne 1 2}} {{lt "a" "b"}} {{ge 2 2}}', 'true true true true true'],
  ['{{and .yes .n}} {{or .e .s}} {{not .no}}', '5 <hi> true'],
  ['{{print 1 2 "a" "b" 3}}', '1 2ab3'],
  ["{{'a'}} {{0x10}} {{1_000}} {{1e3}} {{`r\\n`}}", '97 16 1000 1000 r\\n'],
]

describe('templates', () => {
  it.each(SAID)('%s', (template, text) => {
    expect(render(template, VARIABLES)).toBe(JSON.stringify(text))
  })

  it.each([
    ['{{'],
    ['{{.s'],
    ['{{end}}'],
    ['{{if .s}}'],
    ['{{nofunc .s}}'],
    ['{{$v}}'],
    ['{{.s.x}}'],
    ['{{.s 1}}'],
    ['{{nil}}'],
    ['{{break}}'],
    ['{{template "T"}}'],
    ['{{call .s}}'],
    ['{{lt 1 "a"}}'],
    ['{{index .l 9}}'],
    ['{{index}}'],
    ['{{range .s}}{{end}}'],
    ['{{define "T"}}{{template "T"}}{{end}}{{template "T"}}'],
  ])('%s is an error', (template) => {
    const context = contextOf()
    expect(BUILTINS.get('strings.render_template')?.(context, template, VARIABLES)).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })

  it('takes only variables that are JSON', () => {
    expect(render('x', { s: new RegoSet() })).toBe('undefined')
    expect(render('x', 'text')).toBe('undefined')
  })

  it('counts its steps', () => {
    const loops = '{{range 1000}}{{range 1000}}{{.}}{{end}}{{end}}'
    expect(() => BUILTINS.get('strings.render_template')?.(contextOf(10_000), loops, {})).toThrow(
      RangeError,
    )
  })
})

function render(template: string, variables: Value): string {
  return ours({ name: 'strings.render_template', operands: [template, variables] })
}
