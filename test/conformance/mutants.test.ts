/** The suites are tested too: each runs on deliberately broken adapters, and the law that is named has to notice. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { breaks, type Law, type Mutant } from './laws.ts'

interface Module {
  readonly laws: readonly Law<unknown>[]
  readonly mutants: readonly Mutant<unknown>[]
}

const folder = join(import.meta.dirname, 'mutants')
/** How many mutants a suite has at least; a suite that is not named has one. */
const ATLEAST: Readonly<Record<string, number>> = { store: 8, logstore: 5, custody: 6, secrets: 6 }
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -3))

/** Whether the mutant is a working adapter but for what is broken: some law holds. */
async function isAlive(
  { law, subject }: Mutant<unknown>,
  laws: readonly Law<unknown>[],
): Promise<boolean> {
  for (const other of laws) {
    if (other.name === law) continue
    try {
      await other.run(subject)
      return true
    } catch {
      // This law notices as well.
    }
  }
  return false
}

test('every suite with a minimum has its mutants', () => {
  expect(names).toEqual(expect.arrayContaining(Object.keys(ATLEAST)))
})

for (const name of names) {
  const { laws, mutants }: Module = await import(`./mutants/${name}.ts`)
  describe(`the laws of ${name}`, () => {
    test('have different names, and enough mutants', () => {
      expect(new Set(laws.map((law) => law.name)).size).toBe(laws.length)
      expect(mutants.length).toBeGreaterThanOrEqual(ATLEAST[name] ?? 1)
    })

    for (const mutant of mutants) {
      // What breaks a law by hanging takes as long as the law is patient.
      const patient = { timeout: 120_000 }
      test(`"${mutant.law}" notices what ${mutant.name}`, patient, async () => {
        const law = laws.find((one) => one.name === mutant.law)
        if (!law) throw new Error(`there is no law "${mutant.law}"`)
        await breaks(law, mutant.subject)
        expect(await isAlive(mutant, laws)).toBe(true)
      })
    }
  })
}
