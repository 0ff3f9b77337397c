/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import type { Plugin } from '../../core/plugin.ts'
import { rulesAreTyped } from '../../test/typed-rules.ts'
import { bootstrap } from './facts.ts'

rulesAreTyped(bootstrap as Plugin, 'input.facts.change.promotd == []')
