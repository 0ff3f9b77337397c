/** One engine in a process of its own, pinned to a CPU, that decides when it is told: see `main` of each peer. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a peer did in one turn. */
export interface Turn {
  readonly decisions: number
  readonly allowed: number
  /** Of the whole process. */
  readonly cpuMicros: number
  readonly wallMicros: number
}

export interface Peer {
  readonly name: string
  /** The first decisions, as ones and zeros. */
  decide(count: number): Promise<string>
  run(milliseconds: number): Promise<Turn>
  stop(): Promise<void>
}

const READY_MS = 300_000

/** @throws Error when it ends before it is ready, or is not ready in five minutes */
export async function startPeer(
  name: string,
  cpu: number,
  program: string,
  args: readonly string[],
): Promise<Peer> {
  const child = spawn('taskset', ['-c', String(cpu), program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error(`${name} ended: ${errors}`)
    return value
  }
  if ((await next()) !== 'ready') throw new Error(`${name} is not ready: ${errors}`)
  clearTimeout(timer)
  const ask = (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`)
    return next()
  }
  return {
    name,
    decide: (count) => ask(`decide ${count}`),
    run: async (milliseconds) => JSON.parse(await ask(`run ${milliseconds}`)) as Turn,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
