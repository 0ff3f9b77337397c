/** `npm run fuzz -- [target...] [--seconds N] [--seed N]`: each target for so long; an input that breaks a property is written beside. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'
import { TARGETS } from './targets/index.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const unknown = positionals.find((name) => !TARGETS.some((target) => target.name === name))
if (unknown !== undefined) {
  console.log(`${unknown} is none of ${TARGETS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
console.log(`seed ${seed}; ${values.seconds} seconds each`)
for (const target of chosen) {
  const { failure, ...report } = await fuzz(target, Number(values.seconds), seed)
  console.log(target.name.padEnd(18), JSON.stringify(report))
  if (failure === undefined) continue
  const file = join(import.meta.dirname, 'regressions', target.name, `seed-${seed}`)
  writeFileSync(file, failure.input)
  console.log(`  ${target.property}: no, for ${file}:`, failure.error)
  process.exitCode = 1
}
process.exit()
