/** Lives one lease, and kills itself at the point that its third argument counts. Prints the ids of decisions that were answered. */
import { readFileSync, writeSync } from 'node:fs'
import { deserialize } from 'node:v8'
import { systemClock } from '../../adapters/clock/system.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { live, openProcess, settled } from './steps.ts'

const [folder = '', url = '', at = '0'] = process.argv.slice(2)
let points = 0
let counting = false
const place = await openProcess({
  folder,
  url,
  bundle: deserialize(readFileSync(`${folder}/bundle`)) as Bundle,
  clock: systemClock,
  point: () => {
    if (counting && ++points === Number(at)) process.kill(process.pid, 'SIGKILL')
  },
})
counting = true
// Written at once: what a pipe still buffers dies with the process.
await live(place, (id) => void writeSync(1, `${id}\n`))
await settled(place)
await place.kernel.close()
writeSync(1, `points ${points}\n`)
