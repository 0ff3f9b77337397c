/**
 * A plain HTTP/1.1 client: kept-alive connections, one request at a time on each, every answer compared with the one that is due. It
 * reads what the server's process used of its CPU before and after: `client.ts <job file>` prints one line of JSON.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { percentile } from './stats.ts'

export interface Exchange {
  readonly body: string
  /** A piece of the right answer's body. */
  readonly answer: string
}
export interface Job {
  readonly port: number
  readonly path: string
  readonly exchanges: readonly Exchange[]
  readonly connections: number
  readonly warmMs: number
  readonly ms: number
  /** Of the server. */
  readonly pid: number
  /** Each answer names its decision in this header and is sealed. */
  readonly decisionHeader?: string
}
export interface Measured {
  readonly decisions: number
  readonly wallMs: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** One in 100. */
  readonly sample: readonly string[]
}

const SAMPLE = 100
/** Linux counts a process's time in ticks of 10 ms. */
const TICK_MICROS = 10_000

/** User and system time of a process with all its threads, in microseconds. @see proc_pid_stat(5) */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field may hold anything in its brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
}

interface Answer {
  readonly head: string
  readonly body: string
}

/** The first whole answer in `text` and what follows it; undefined when more has to come. @throws Error without a length */
export function splitAnswer(
  text: string,
): { readonly answer: Answer; readonly rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without a length: ${head}`)
  const from = end + 4
  const to = from + Number(length)
  if (text.length < to) return undefined
  return { answer: { head, body: text.slice(from, to) }, rest: text.slice(to) }
}

class Client {
  readonly #job: Job
  readonly #requests: readonly Buffer[]
  readonly latenciesMs: number[] = []
  sample: string[] = []
  #next = 0

  constructor(job: Job) {
    this.#job = job
    this.#requests = job.exchanges.map(({ body }) => {
      const head = [
        `POST ${job.path} HTTP/1.1`,
        `Host: 127.0.0.1:${job.port}`,
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
      ]
      return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
    })
  }

  /** Every connection sends until the time is over and its last answer is there. */
  async run(sockets: readonly Socket[], ms: number): Promise<void> {
    this.latenciesMs.length = 0
    this.sample = []
    const until = performance.now() + ms
    await Promise.all(sockets.map((socket) => this.#converse(socket, until)))
  }

  #converse(socket: Socket, until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let text = ''
      let asked = 0
      let from = 0
      const ask = (): void => {
        asked = this.#next++ % this.#requests.length
        from = performance.now()
        socket.write(this.#requests[asked]!)
      }
      const end = (settle: () => void): void => {
        socket.removeAllListeners()
        settle()
      }
      socket.on('error', (error) => end(() => reject(error)))
      socket.on('close', () => end(() => reject(new Error('the server closed a connection'))))
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1')
        try {
          const split = splitAnswer(text)
          if (split === undefined) return
          text = split.rest
          this.#take(split.answer, this.#job.exchanges[asked]!, performance.now() - from)
        } catch (error) {
          return end(() => reject(error as Error))
        }
        if (performance.now() < until) ask()
        else end(resolve)
      })
      ask()
    })
  }

  #take({ head, body }: Answer, due: Exchange, latencyMs: number): void {
    if (!head.startsWith('HTTP/1.1 200 ') || !body.includes(due.answer))
      throw new Error(`expected ${due.answer}, got ${head}\n${body}`)
    const counted = this.latenciesMs.push(latencyMs)
    const { decisionHeader } = this.#job
    if (decisionHeader === undefined) return
    const id = new RegExp(`\\r\\n${decisionHeader}: *(\\S+)`, 'i').exec(head)?.[1]
    if (id === undefined || /committed_unsealed/.test(head)) throw new Error(`not sealed: ${head}`)
    if (counted % SAMPLE === 0) this.sample.push(id)
  }
}

export async function measureServer(job: Job): Promise<Measured> {
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => opened(job.port)))
  try {
    const client = new Client(job)
    if (job.warmMs > 0) await client.run(sockets, job.warmMs)
    const [cpu, from] = [cpuMicros(job.pid), performance.now()]
    await client.run(sockets, job.ms)
    const { latenciesMs, sample } = client
    return {
      decisions: latenciesMs.length,
      wallMs: performance.now() - from,
      cpuMicros: cpuMicros(job.pid) - cpu,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
      sample,
    }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}

if (import.meta.main) {
  const [file] = process.argv.slice(2)
  if (file === undefined) throw new Error('usage: client.ts <job file>')
  const job = JSON.parse(readFileSync(file, 'utf8')) as Job
  console.log(JSON.stringify(await measureServer(job)))
}
