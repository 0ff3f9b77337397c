/** The side of a peer that is JavaScript: reads commands from stdin, one a line, and answers each with one line. */
import { createInterface } from 'node:readline'

const BATCH = 64

/** `decide(i)` answers the question `i` of `count`. */
export async function serve(
  count: number,
  decide: (i: number) => boolean | Promise<boolean>,
): Promise<void> {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, number = ''] = line.split(' ')
    if (command === 'decide') console.log(await first(Number(number), count, decide))
    else if (command === 'run')
      console.log(JSON.stringify(await run(Number(number), count, decide)))
    else throw new Error(`no such command: ${command}`)
  }
}

async function first(
  many: number,
  count: number,
  decide: (i: number) => boolean | Promise<boolean>,
): Promise<string> {
  let said = ''
  for (let i = 0; i < many; i++) said += (await decide(i % count)) ? '1' : '0'
  return said
}

/** Awaits only what is a promise: a synchronous engine pays for no turn of the event loop. */
async function run(
  milliseconds: number,
  count: number,
  decide: (i: number) => boolean | Promise<boolean>,
): Promise<object> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  let [allowed, decisions] = [0, 0]
  while (performance.now() - started < milliseconds) {
    for (let i = 0; i < BATCH; i++) {
      const said = decide(decisions % count)
      if (typeof said === 'boolean' ? said : await said) allowed++
      decisions++
    }
  }
  const { system, user } = process.cpuUsage(cpu)
  return {
    allowed,
    cpuMicros: system + user,
    decisions,
    wallMicros: (performance.now() - started) * 1000,
  }
}
