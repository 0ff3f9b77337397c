/**
 * A small service that guards its routes with decisions made in its own process: no sidecar, no network, and every decision in a log that
 * can be verified. See README.md.
 */
import { join } from 'node:path'
import { open } from 'assay'
import { authorize } from 'assay/fastify'
import fastify, { type FastifyRequest } from 'fastify'

/** Stands for your own login. The subject of a question comes from here, and from nothing that a client writes. */
const TOKENS = new Map([
  ['token-of-ada', 'ada'],
  ['token-of-ben', 'ben'],
  ['token-of-eve', 'eve'],
])
const notes = new Map([
  ['plan', 'Tuesday: the review'],
  ['diary', 'It rained.'],
])

const [, , data = join(import.meta.dirname, '.assay'), port = '8181'] = process.argv
const assay = await open({ config: join(import.meta.dirname, 'assay.yaml'), data, id: 'notes' })
const app = fastify()

interface Note {
  Params: { id: string }
}

/** May whoever asks do this to the note in the path? */
function may(action: string): ReturnType<typeof authorize> {
  return authorize(assay, (request) => question(action, request), {
    obligations: {
      notification: ({ properties }) => console.log(`to ${properties?.to}: ${properties?.body}`),
    },
    onError: (error) => console.error(error instanceof Error ? error.message : 'it threw'),
  })
}

function question(action: string, request: FastifyRequest) {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const user = TOKENS.get(token)
  // Without a question the answer is 403.
  if (user === undefined) return undefined
  const { id } = request.params as Note['Params']
  return {
    subject: { type: 'user', id: user },
    action: { name: action },
    resource: { type: 'note', id },
  }
}

app.get<Note>('/notes/:id', { preHandler: may('read') }, ({ params }, reply) => {
  const text = notes.get(params.id)
  return text === undefined ? reply.code(404).send() : { text }
})

app.put<Note & { Body: { text: string } }>(
  '/notes/:id',
  { preHandler: may('write') },
  ({ body, params }) => {
    notes.set(params.id, body.text)
    return { text: body.text }
  },
)

app.delete<Note>('/notes/:id', { preHandler: may('delete') }, async ({ params }, reply) => {
  notes.delete(params.id)
  return await reply.code(204).send()
})

// Assay goes first: what arrives now gets 503, not an open door.
process.once('SIGUSR2', () => void assay.close())
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    await app.close()
    await assay.close()
  })

const url = await app.listen({ host: '127.0.0.1', port: Number(port) })
console.log(`notes on ${url}, process ${process.pid}`)
