/** Which moves between the states of a key the policies of `signer` allow: asked of the rules themselves, one by one. */
import { testEngine } from '../engine.ts'
import { bundle } from '../rego.ts'
import { readText } from '../source.ts'

const QUESTION = `package cases.moves

import data.assay.signer.transition

decision := [{"from": from, "to": to, "verdict": verdict(from, to)} |
	some from in input.states
	some to in input.states
]

verdict(from, to) := "allow" if {
	transition.may(from, to)
} else := "emergency" if {
	to in transition.emergency[from]
} else := "refuse"
`

/** `from to` to `allow`, `emergency` or `refuse`. */
export async function allowedMoves(
  states: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const sources = {
    'cases/moves.rego': QUESTION,
    'signer/transition.rego': readText('policies/signer/transition.rego'),
  }
  const policy = await testEngine().load(await bundle(sources, ['cases/moves/decision']))
  try {
    const value = { states }
    const asked = { text: JSON.stringify(value), value }
    const found = (await policy.evaluate('cases/moves/decision', asked)) as readonly {
      readonly from: string
      readonly to: string
      readonly verdict: string
    }[]
    return new Map(found.map(({ from, to, verdict }) => [`${from} ${to}`, verdict]))
  } finally {
    await policy.close()
  }
}
