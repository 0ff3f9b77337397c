/** Clients that do a bit of everything, over and over: what a server does all day, faster. */
import type { Random } from '../crash/random.ts'

/** Records are written over, so that what grows is the log and nothing else. */
const RECORDS = 500
const JSON_TYPE = { 'content-type': 'application/json' }

export interface Tally {
  answered: number
  decided: number
  /** What should not have been answered so, by what was asked. */
  readonly unexpected: Map<string, number>
}

type Ask = (
  url: string,
  random: Random,
) => Promise<readonly [what: string, response: Response, expected: number]>

const pick = (random: Random): string => `soak-${Math.floor(random() * RECORDS)}`
const post = (url: string, path: string, body: object | string): Promise<Response> => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(`${url}${path}`, { method: 'POST', headers: JSON_TYPE, body: text })
}
const evaluation = (random: Random): object => ({
  subject: { type: 'user', id: pick(random) },
  action: { name: 'read' },
  resource: { type: 'document', id: pick(random) },
})

let lastId = ''
const asks: readonly Ask[] = [
  async (url, random) => [
    'evaluation',
    await post(url, '/access/v1/evaluation', evaluation(random)),
    200,
  ],
  async (url, random) => {
    const evaluations = Array.from({ length: 10 }, () => evaluation(random))
    return ['batch', await post(url, '/access/v1/evaluations', { evaluations }), 200]
  },
  async (url, random) => {
    const resource = { type: 'document', id: pick(random) }
    const payload = { resource, attributes: { op: Math.floor(random() * 1e6) } }
    return [
      'put',
      await post(url, '/assay/v1/decisions', { action: 'access.put-resource', payload }),
      200,
    ]
  },
  async (url, random) => ['check', await post(url, '/assay/v1/check', evaluation(random)), 200],
  async (url) => ['refused', await post(url, '/access/v1/evaluation', '{"subject":'), 400],
  async (url) => {
    if (lastId === '') return ['ready', await fetch(`${url}/health/ready`), 200]
    return ['receipt', await fetch(`${url}/assay/v1/receipts/${lastId}`), 200]
  },
  async (url) => ['checkpoint', await fetch(`${url}/log/checkpoint`), 200],
  async (url, random) => {
    const { action, resource } = evaluation(random) as { action: object; resource: object }
    const body = { subject: { type: 'user' }, action, resource }
    return ['search', await post(url, '/access/v1/search/subject', body), 200]
  },
]
/** Out of so many, in the order of `asks`. */
const WEIGHTS = [50, 8, 15, 6, 6, 6, 6, 3]
const TOTAL = WEIGHTS.reduce((sum, weight) => sum + weight, 0)

function choose(random: Random): Ask {
  let at = random() * TOTAL
  const index = WEIGHTS.findIndex((weight) => {
    at -= weight
    return at < 0
  })
  return asks[index] as Ask
}

/** One request after the other, with a pause of `pauseMs`, until `stopped`. */
export async function keepAsking(
  url: string,
  random: Random,
  tally: Tally,
  { pauseMs, stopped }: { readonly pauseMs: number; readonly stopped: () => boolean },
): Promise<void> {
  while (!stopped()) {
    const [what, response, expected] = await choose(random)(url, random)
    await response.arrayBuffer()
    const id = response.headers.get('x-decision-id')
    if (id !== null && !id.includes(',')) lastId = id
    tally.answered++
    if (id !== null) tally.decided += id.split(',').length
    if (response.status !== expected) {
      const name = `${what} ${response.status}`
      tally.unexpected.set(name, (tally.unexpected.get(name) ?? 0) + 1)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
