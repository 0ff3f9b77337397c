/** A client as anybody would write one: a few connections that are kept, one request at a time on each. */
import { Agent, request } from 'node:http'

const BODY = JSON.stringify({
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
})

export interface Experience {
  readonly answered: number
  /** What was not a decision. */
  readonly failures: readonly string[]
  /** Milliseconds. */
  readonly median: number
  readonly p99: number
}

export async function honestly(
  port: number,
  requests: number,
  connections = 4,
): Promise<Experience> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const took: number[] = []
  const failures: string[] = []
  let left = requests
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const began = performance.now()
      const outcome = await once(port, agent)
      took.push(performance.now() - began)
      if (outcome !== 'decided') failures.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  agent.destroy()
  took.sort((a, b) => a - b)
  const at = (share: number): number =>
    took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0
  return { answered: took.length, failures, median: at(0.5), p99: at(0.99) }
}

function once(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length }
    const path = '/access/v1/evaluation'
    const asked = request(
      { agent, headers, host: '127.0.0.1', method: 'POST', path, port },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        answer.on('end', () =>
          resolve(
            answer.statusCode === 200 && text.includes('"decision":true')
              ? 'decided'
              : `${answer.statusCode}`,
          ),
        )
      },
    )
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    asked.end(BODY)
  })
}
