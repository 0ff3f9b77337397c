/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import type { Plugin } from '../../core/plugin.ts'
import { rulesAreTyped } from '../../test/typed-rules.ts'
import { lease } from './facts.ts'

rulesAreTyped(lease as Plugin, 'input.facts.lease.record.ended')
