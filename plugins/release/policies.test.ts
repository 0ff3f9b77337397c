/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import type { Plugin } from '../../core/plugin.ts'
import { rulesAreTyped } from '../../test/typed-rules.ts'
import { release } from './facts.ts'

rulesAreTyped(release as Plugin, 'input.facts.sums.digets == []')
