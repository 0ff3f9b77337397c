/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { expect, test } from 'vitest'
import type { Plugin } from '../../core/plugin.ts'
import { KEY_STATES } from '../../core/ports/custody.ts'
import { rulesAreTyped, rulesOf } from '../../test/typed-rules.ts'
import { STATES } from './checks.ts'
import { announce } from './facts.ts'

rulesAreTyped(announce as Plugin, 'input.facts.message.chekc == "x"', () => rulesOf('announce'))

test('states are those of custody', () => {
  expect(STATES).toEqual([...KEY_STATES, 'none'])
})
