/** `assay/token` as the package ships it, in a real browser: what Chromium narrows, seals and proves verifies here. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ed25519ChainKey, fromBase64url, toBase64url, verifyEd25519 } from '../../core/crypto.ts'
import {
  authorityMessage,
  authorityPayload,
  proofMessage,
  readToken,
  type Token,
  verifyToken,
} from '../../formats/cap1/index.ts'
import { NODE } from '../installed.ts'
import { root } from '../source.ts'
import { authorityOf, CELL, pairOf, pinned } from '../tokens.ts'
import { chromiumProgram } from '../tools.ts'

const PAGE = `<!doctype html><meta charset="utf-8"><title>A holder</title><script type="module">
const post = async (path, value) => {
  const answer = await fetch(path, { method: 'POST', body: JSON.stringify(value) })
  return await answer.text()
}
try {
  const token = await import('/formats/cap1/client.js')
  const [key, holder] = [await token.newKey(), await token.newKey()]
  const grant = await post('/grant', { nk: key.publicKey, cnf: holder.publicKey })
  const whole = token.assemble(JSON.parse(grant), key)
  const narrowed = await token.attenuate(whole, [{ t: 'op', v: ['read'] }])
  const sealed = await token.seal(await token.attenuate(narrowed, [{ t: 'max_bytes', v: 4096 }]))
  const about = { audience: '${CELL}', nonce: crypto.randomUUID(), time: 1800000010, request: { op: 'read' } }
  const proof = await token.prove(sealed, holder, about)
  const seen = await token.inspectUnverified(sealed)
  const refused = await token.attenuate(sealed, []).catch((error) => error.code)
  await post('/made', { whole, narrowed, sealed, proof, seen, refused })
} catch (error) {
  await post('/made', { error: String(error) })
}
</script>`

interface Made {
  readonly error?: string
  readonly whole: string
  readonly narrowed: string
  readonly sealed: string
  readonly proof: { readonly key: string; readonly nonce: string; readonly signature: string }
  readonly seen: { readonly handles: readonly string[]; readonly sealed: boolean }
  readonly refused: string
}

const folder = mkdtempSync(join(tmpdir(), 'assay-browser-'))
let server: Server
let browser: ChildProcess
let made: Made

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

/** As a cell does: it signs what the holder's keys are put into. */
function grant({ nk, cnf }: { readonly nk: string; readonly cnf: string }): object {
  const payload = authorityPayload(authorityOf({ nk, cnf }))
  const signature = pairOf(CELL).sign(authorityMessage(payload))
  return { payload: toBase64url(payload), signature: toBase64url(signature) }
}

/** Serves the page and the built modules, and grants. @param finish is handed what the page made */
function serve(finish: (made: Made) => void): Server {
  return createServer(async (request, response) => {
    const { url = '/' } = request
    if (url === '/') return response.setHeader('content-type', 'text/html').end(PAGE)
    if (url === '/grant')
      return response.end(JSON.stringify(grant(JSON.parse(await bodyOf(request)))))
    if (url === '/made') {
      finish(JSON.parse(await bodyOf(request)) as Made)
      return response.end()
    }
    if (!/^\/(core|formats)\/[a-z0-9/]+\.js$/.test(url)) return response.writeHead(404).end()
    response.setHeader('content-type', 'text/javascript')
    return response.end(readFileSync(join(folder, 'dist', url)))
  })
}

beforeAll(async () => {
  const program = await chromiumProgram()
  execFileSync(NODE, [join(root, 'scripts', 'build.ts'), join(folder, 'dist')])
  const { promise, reject, resolve } = Promise.withResolvers<Made>()
  server = serve(resolve)
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening)
  })
  const { port } = server.address() as AddressInfo
  // In a container there is no user namespace for the sandbox, and /dev/shm is small.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
  const profile = `--user-data-dir=${join(folder, 'profile')}`
  browser = spawn(program, [...flags, profile, `http://127.0.0.1:${port}/`], { stdio: 'ignore' })
  browser.once('error', reject)
  browser.once('exit', (code) => reject(new Error(`Chromium ended with ${code}`)))
  made = await promise
}, 400_000)

afterAll(async () => {
  server?.close()
  if (browser?.exitCode === null) {
    const ended = new Promise((resolve) => browser.once('exit', resolve))
    browser.kill()
    await ended
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

function verified(text: string): Token {
  const token = readToken(text)
  if ('problem' in token) throw new Error(token.problem)
  expect(verifyToken(token, [pinned(CELL)])).toBe('valid')
  return token
}

test('what the browser made verifies', () => {
  expect(made.error).toBeUndefined()
  expect(verified(made.whole).blocks.length).toBe(1)
  expect(verified(made.narrowed).blocks.map(({ caveats }) => caveats)).toEqual([
    [],
    [{ t: 'op', v: ['read'] }],
  ])
  const { blocks, last } = verified(made.sealed)
  expect(blocks.at(-1)?.caveats).toEqual([{ t: 'max_bytes', v: 4096 }])
  expect('seal' in last).toBe(true)
  expect(made.seen).toMatchObject({ sealed: true, handles: blocks.map(({ handle }) => handle) })
  expect(made.refused).toBe('sealed')
})

test('so does its proof of possession, for the key that the token names', () => {
  const { key, nonce, signature } = made.proof
  const { authority } = verified(made.sealed)
  expect(key).toBe(authority.cnf)
  const presentation = { audience: CELL, nonce, time: 1_800_000_010, request: { op: 'read' } }
  const message = proofMessage({ token: made.sealed, ...presentation })
  const holder = ed25519ChainKey(fromBase64url(key) as Uint8Array)
  expect(verifyEd25519(holder, message, fromBase64url(signature) as Uint8Array)).toBe(true)
})
