import { describe, expect, it } from 'vitest'
import type { FileCoverage } from '../../core/ports/compiler.ts'
import { placesOf } from './rules.ts'

const SOURCES = {
  'gate/decision.rego': `# METADATA
package assay.gate

default deny := false

deny contains {
	"code": "closed",
	"rule": "assay.gate.deny",
} if {
	input.closed
}

deny contains {"code": "late", "rule": "assay.gate.deny"} if input.late

deny contains reason if some reason in data.assay.gate.more.deny

denying := 1

refusal := "malformed" if {
	not input.ok
} else := "stale" if {
	input.age > 10
} else := "none"
`,
  'gate/more.rego': 'package assay.gate.more\n\ndeny contains {"code": "full"} if input.full\n',
  'data.txt': 'no package',
}
const places = (code: string, rule: string, coverage?: readonly FileCoverage[]) =>
  placesOf(SOURCES, { code, rule }, coverage).map(({ file, line }) => `${file}:${line}`)

describe('where a rule stands', () => {
  it('is the line of each body that names the code', () => {
    expect(places('closed', 'assay.gate.deny')).toEqual(['gate/decision.rego:7'])
    expect(places('late', 'assay.gate.deny')).toEqual(['gate/decision.rego:13'])
    expect(places('full', 'assay.gate.more.deny')).toEqual(['gate/more.rego:3'])
  })

  it('is every body where none names the code, and no rule whose name only begins so', () => {
    const all = [4, 6, 13, 15].map((line) => `gate/decision.rego:${line}`)
    expect(places('elsewhere', 'assay.gate.deny')).toEqual(all)
  })

  it('is a branch of its own after else', () => {
    expect(places('malformed', 'assay.gate.refusal')).toEqual(['gate/decision.rego:19'])
    expect(places('stale', 'assay.gate.refusal')).toEqual(['gate/decision.rego:21'])
    expect(places('none', 'assay.gate.refusal')).toEqual(['gate/decision.rego:23'])
  })

  it('is only what held, where that is known', () => {
    const file = 'gate/decision.rego'
    const coverage = [{ file, percent: 50, notCovered: [{ from: 4, to: 14 }] }]
    expect(places('late', 'assay.gate.deny', coverage)).toEqual([`${file}:15`])
    expect(places('full', 'assay.gate.more.deny', coverage)).toEqual([])
  })

  it('is the package clause of a whole package, and nothing for what is not there', () => {
    expect(places('full', 'assay.gate.more')).toEqual(['gate/more.rego:1'])
    for (const rule of ['assay.gate.none', 'assay.none.deny', 'deny', '', 'assay.gate.(', '..'])
      expect(places('full', rule)).toEqual([])
  })
})
