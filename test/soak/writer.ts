/**
 * One of many writers of one table: decides until it is told to stop (SIGTERM) or killed, and says on standard output what it was told and what it
 * saw, a line each, written before anything else happens. Its argument is {@link WriterOptions} as JSON.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../adapters/clock/system.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openDynamo } from '../../adapters/store/dynamodb/index.ts'
import { NoDecision } from '../../core/error.ts'
import type { Decision } from '../../core/kernel.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { ALLOW, bundle, kit, submission } from '../kernel/kit.ts'
import type { Said, WriterOptions } from './writers.ts'

const options = JSON.parse(process.argv[2] ?? '') as WriterOptions
const { inFlight, keys, place, sealed, signMs = 0 } = options

const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`)

const custody = await openFileCustody({ dir: keys })
/** A signer that takes a while, and says when it begins. */
const slow: Custody = {
  name: custody.name,
  scopes: custody.scopes,
  algorithms: custody.algorithms,
  maxMessageBytes: custody.maxMessageBytes,
  list: (scope) => custody.list(scope),
  create: (scope, name, algorithm) => custody.create(scope, name, algorithm),
  transition: (key, state) => custody.transition(key, state),
  async sign(request) {
    if (signMs > 0) say({ signing: process.pid })
    await new Promise((resolve) => setTimeout(resolve, signMs))
    return custody.sign(request)
  },
  close: () => custody.close(),
}
const { kernel } = await kit({
  ...(await openDynamo({ ...place, clock: systemClock })),
  clock: systemClock,
  custody: slow,
  activate: false,
  limits: { mergeMs: options.mergeMs ?? 200 },
  policy: ({ request: { action } }) =>
    action === 'note.write' ? { ...ALLOW, effects: [{ kind: 'note.file' }] } : ALLOW,
})
await kernel.activate(bundle())

let stopped = false
process.once('SIGTERM', () => {
  stopped = true
})

let seen = ''
async function tellHead(): Promise<void> {
  const note = await kernel.log.checkpoint()
  const text = note === undefined ? '' : Buffer.from(note).toString()
  if (text !== seen) say({ head: text })
  seen = text
}

async function decideOne(n: number): Promise<void> {
  const action = n % 3 === 0 ? 'note.read' : 'note.write'
  const seal = n % sealed === 0 ? 'sealed' : 'durable'
  const began = performance.now()
  try {
    const decision: Decision = await kernel.decide(submission(action, { n }), { seal })
    const ms = Math.round((performance.now() - began) * 10) / 10
    say({ id: decision.id, seal: decision.seal, ms })
  } catch (error) {
    if (!(error instanceof NoDecision)) throw error
    say({ none: error.code })
  }
}

const heads = setInterval(() => void tellHead(), 250)
say({ ready: process.pid })
let n = 0
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    while (!stopped) await decideOne(n++)
  }),
)
clearInterval(heads)
await kernel.close()
