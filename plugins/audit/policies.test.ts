/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import type { Plugin } from '../../core/plugin.ts'
import { rulesAreTyped } from '../../test/typed-rules.ts'
import { audit } from './facts.ts'

rulesAreTyped(audit as Plugin, 'input.facts.records.itmes == []')
