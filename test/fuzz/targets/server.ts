/** Whole requests to the HTTP app: any method, path, header and body that the platform lets through. */
import { createApp } from '../../../adapters/transport/http/index.ts'
import { FakeKernel } from '../../fake-kernel.ts'
import type { Target } from '../fuzz.ts'
import { looseText } from './kit.ts'

const kernel = new FakeKernel()
const app = createApp(kernel, { publicUrl: 'https://pdp.example.com/' })
const EVALUATION =
  '{"subject":{"type":"user","id":"ada"},"action":{"name":"read"},"resource":{"type":"doc","id":"1"}}'
const request = (line: string, body: string, ...headers: string[]): string =>
  [line, 'content-type: application/json', ...headers, '', body].join('\n')

/** Undefined for what no platform would hand over. */
function requestOf(text: string): Request | undefined {
  const split = text.indexOf('\n\n')
  const [line = '', ...headers] = (split < 0 ? text : text.slice(0, split)).split('\n')
  const [method = '', path = ''] = line.split(' ')
  const body = split < 0 || method === 'GET' || method === 'HEAD' ? null : text.slice(split + 2)
  try {
    const pairs = headers.map((header): [string, string] => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon), header.slice(colon + 1)]
    })
    return new Request(`http://host.test${path}`, { method, headers: pairs, body })
  } catch {
    return undefined
  }
}

const http: Target = {
  name: 'http-request',
  property:
    'an answer that the documentation has: never 500, a refusal is 4xx, an evaluation is decided once',
  files: /adapters\/transport\/http\/.*\.ts$/,
  seeds: [
    request('POST /access/v1/evaluation', EVALUATION),
    request('POST /access/v1/evaluations', `{"evaluations":[${EVALUATION},${EVALUATION}]}`),
    request(
      'POST /assay/v1/decisions',
      `{"action":"access.evaluate","payload":${EVALUATION}}`,
      'assay-seal: durable',
    ),
    request('POST /assay/v1/check', EVALUATION, 'x-request-id: a'),
    request('POST /access/v1/search/subject', EVALUATION),
    'GET /log/tile/0/000\nx: y\n\n',
    'GET /assay/v1/receipts/0123456789abcdef0123456789abcdef\n\n',
    'GET /.well-known/authzen-configuration\n\n',
    'GET /health/ready\n\n',
  ],
  tokens: [
    'POST ',
    'PUT ',
    'DELETE ',
    '/v1/',
    '/access',
    '/assay',
    '%2f',
    '..',
    '"evaluations":',
    '"options":',
    'idempotency-key: ',
    '"page":',
    '"context":',
    'authorization: Bearer ',
    'assay-seal: ',
    'charset=',
  ],
  async check(bytes) {
    const asked = requestOf(looseText(bytes))
    if (asked === undefined) return false
    const before = kernel.dispatches.length
    const { pathname } = new URL(asked.url)
    const { status } = await app.request(asked)
    if (status === 500 || status < 200 || status > 599) throw new Error(`status ${status}`)
    const decided = kernel.dispatches.length - before
    if (pathname === '/access/v1/evaluation' && decided !== (status === 200 ? 1 : 0))
      throw new Error(`${decided} decisions for status ${status}`)
    return status < 400
  },
}

export const SERVER: readonly Target[] = [http]
