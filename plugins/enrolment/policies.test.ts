/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { expect, test } from 'vitest'
import type { Plugin } from '../../core/plugin.ts'
import { KEY_SCOPES, KEY_STATES } from '../../core/ports/custody.ts'
import { rulesAreTyped, rulesOf } from '../../test/typed-rules.ts'
import { enrolment } from './facts.ts'
import { SCOPES, STATES } from './schema.ts'

rulesAreTyped(enrolment as Plugin, 'input.facts.key.registred == "x"', () => rulesOf('enrolment'))

test('scopes and states are those of custody', () => {
  expect(SCOPES).toEqual(KEY_SCOPES)
  expect(STATES).toEqual(KEY_STATES)
})
