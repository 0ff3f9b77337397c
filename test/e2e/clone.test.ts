/**
 * The README's own steps, carried out in a fresh clone of what is committed: install, start, paste the printed request, stop, verify the
 * receipt offline, edit the Rego, decide again. What must come of it is asserted here, whatever the page says.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from '../source.ts'
import { readSteps, type Said, Session, type Step } from './readme.ts'

describe('a fresh clone', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'assay-e2e-'))
  const clone = join(scratch, 'assay')
  execFileSync('git', ['clone', '--quiet', root, clone])
  const steps = readSteps(readFileSync(join(clone, 'README.md'), 'utf8'))
  const session = new Session(clone, scratch)
  const said = new Map<string, Said>()

  afterAll(async () => {
    await session.close()
    rmSync(scratch, { recursive: true })
  })

  test('has a README with every step', () => {
    const names = steps.map(({ kind, name }) => `${kind} ${name}`)
    const story = ['start serve', 'paste decide', 'stop stop', 'run receipt', 'run verify']
    const ending = [
      'start serve-again',
      'run edit',
      'paste decide-again',
      'program lease',
      'program embed',
    ]
    expect(names).toEqual(expect.arrayContaining([...story, ...ending]))
  })

  for (const step of steps)
    test(`${step.kind} ${step.name}`, { timeout: 420_000 }, async () => {
      said.set(step.name, await carryOut(step))
      EXPECTED[step.name]?.()
    })

  /** A changed policy is in force a moment after it was saved. */
  async function carryOut(step: Step): Promise<Said> {
    const first = decisionIn(said.get('decide'))
    for (let attempt = 1; ; attempt++) {
      const answer = await session.carryOut(step)
      const flipped = decisionIn(answer) !== first
      if (step.name !== 'decide-again' || flipped || attempt === 50) return answer
      await sleep(200)
    }
  }

  const EXPECTED: Readonly<Record<string, () => void>> = {
    decide: () => {
      expect(said.get('decide')?.output).toMatch(/^x-decision-id: [0-9a-f]{32}\r?$/im)
      expect(decisionIn(said.get('decide'))).toBe(true)
    },
    verify: () => {
      expect(verify('receipt.json')).toBe(0)
      const receipt = readFileSync(join(clone, 'receipt.json'), 'utf8')
      const tampered = receipt.replace('\\"allow\\":true', '\\"allow\\":false')
      expect(tampered).not.toBe(receipt)
      writeFileSync(join(scratch, 'tampered.json'), tampered)
      expect(verify(join(scratch, 'tampered.json'))).toBe(1)
    },
    lease: () => {
      const printed = said.get('lease')?.output
      expect(printed).toContain('read true token_accepted\nwrite false caveat_denied\n')
    },
    'decide-again': () => expect(decisionIn(said.get('decide-again'))).toBe(false),
  }

  function verify(receipt: string): number {
    try {
      const command = ['verify', receipt, '--trust', '.assay/trust.json']
      execFileSync('bin/assay', command, { cwd: clone, stdio: 'pipe' })
      return 0
    } catch (error) {
      return (error as { status: number }).status
    }
  }

  test('still decides so after a restart', { timeout: 60_000 }, async () => {
    await session.carryOut({ kind: 'stop', name: 'before', from: 'serve-again' })
    await session.carryOut({ kind: 'start', name: 'restarted', script: 'npm start' })
    const answer = await session.carryOut({ kind: 'paste', name: 'last', from: 'restarted' })
    expect(decisionIn(answer)).toBe(false)
  })
})

function decisionIn(said: Said | undefined): boolean | undefined {
  const decision = said?.output.match(/"decision"\s*:\s*(true|false)/)?.[1]
  return decision === undefined ? undefined : decision === 'true'
}
