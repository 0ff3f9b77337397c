/** Takes bytes and installs them at the path that it is given, saying where it is; killed or failing at any of these points. */
import { Spool } from '../../cli/release/spool.ts'

const CHUNKS = 32
const CHUNK_BYTES = 1_048_576

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < CHUNKS; i++) yield new Uint8Array(CHUNK_BYTES).fill(i)
}
const say = (step: string): boolean => process.stdout.write(`${step}\n`)

let spool: Spool | undefined
try {
  say('taking')
  spool = await Spool.open(process.argv[2])
  await spool.take(chunks(), 0)
  say('installing')
  await spool.install()
  say('installed')
} catch (error) {
  say(`failed ${(error as NodeJS.ErrnoException).code}`)
} finally {
  await spool?.close()
}
