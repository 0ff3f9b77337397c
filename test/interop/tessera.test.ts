/**
 * The served log, checked by Tessera's own `fsck`, which shares no code with this project: every tile, every entry bundle and the root
 * under the signed checkpoint, over HTTP as C2SP tlog-tiles says.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assay, Server } from '../server.ts'
import { tesseraFsck } from '../tools.ts'

/** More than two full tiles, and a partial one. */
const DECISIONS = 600
const folder = mkdtempSync(join(tmpdir(), 'assay-tessera-'))
const vkeyFile = join(folder, 'log.vkey')
let server: Server | undefined
let url: string
let fsckPath: string

beforeAll(async () => {
  fsckPath = await tesseraFsck()
  server = new Server({ data: join(folder, 'data') })
  url = await server.ready
  let left = DECISIONS
  const work = async (): Promise<void> => {
    while (left-- > 0) await decide(left)
  }
  await Promise.all(Array.from({ length: 16 }, work))
  const trust = JSON.parse(readFileSync(join(folder, 'data', 'trust.json'), 'utf8'))
  writeFileSync(vkeyFile, trust.keys[0].vkey)
})
afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

async function decide(n: number): Promise<void> {
  const response = await fetch(`${url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: `somebody-${n}` },
      action: { name: 'read' },
      resource: { type: 'document', id: 'none' },
    }),
  })
  await response.text()
  expect(response.status).toBe(200)
}

/** Version 1.0.4 ends with 0 also when the check failed: only its last word counts. */
function fsck(storage: string): Promise<{ sound: boolean; output: string }> {
  const args = ['-ui=false', '-N=4', `--storage_url=${storage}/log/`, `--public_key=${vkeyFile}`]
  return new Promise((resolve) => {
    execFile(fsckPath, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      const output = stdout + stderr
      const successful = /Successfully fsck'd log with size \d+/.test(output)
      resolve({ sound: !error && successful && !output.includes('fsck failed'), output })
    })
  })
}

test('Tessera fsck accepts the log that we serve', async () => {
  const checkpoint = await (await fetch(`${url}/log/checkpoint`)).text()
  expect(Number(checkpoint.split('\n')[1])).toBeGreaterThanOrEqual(DECISIONS)
  expect(await fsck(url)).toMatchObject({ sound: true })
})

const tampered = ['/log/tile/0/000', '/log/tile/0/001', '/log/tile/entries/001', '/log/checkpoint']
test.each(tampered)('Tessera fsck refuses it when %s comes with another byte', async (path) => {
  const proxy = await changing(path)
  const { port } = proxy.address() as AddressInfo
  try {
    expect(await fsck(`http://127.0.0.1:${port}`)).toMatchObject({
      sound: false,
      output: expect.stringContaining('fsck failed'),
    })
  } finally {
    proxy.close()
  }
})

test('Tessera fsck accepts it under the key that took over', async () => {
  await server?.stop()
  const rotated = await assay('log', 'rotate-key', '--data', join(folder, 'data'), '--json')
  expect(rotated).toMatchObject({ code: 0 })
  const { vkey } = JSON.parse(rotated.output) as { vkey: string }
  server = new Server({ data: join(folder, 'data') })
  url = await server.ready
  // Both keys signed the head at which they change: who knows either of them accepts it.
  expect(await fsck(url)).toMatchObject({ sound: true })
  writeFileSync(vkeyFile, vkey)
  expect(await fsck(url)).toMatchObject({ sound: true })
  await decide(DECISIONS)
  expect(await fsck(url)).toMatchObject({ sound: true })
})

test('Tessera fsck accepts it under a P-256 key, and refuses it with another byte', async () => {
  await server?.stop()
  const rotate = ['log', 'rotate-key', '--algorithm', 'ecdsa-p256', '--json']
  const rotated = await assay(...rotate, '--data', join(folder, 'data'))
  expect(rotated).toMatchObject({ code: 0 })
  writeFileSync(vkeyFile, (JSON.parse(rotated.output) as { vkey: string }).vkey)
  server = new Server({ data: join(folder, 'data') })
  url = await server.ready
  await decide(DECISIONS + 1)
  expect(await fsck(url)).toMatchObject({ sound: true })
  const proxy = await changing('/log/checkpoint')
  const { port } = proxy.address() as AddressInfo
  expect(await fsck(`http://127.0.0.1:${port}`)).toMatchObject({ sound: false })
  proxy.close()
})

/** Serves the log with the middle byte of `path` changed. */
async function changing(path: string): Promise<HttpServer> {
  const proxy = createServer((request, response) => {
    void fetch(url + request.url).then(async (answer) => {
      const body = Buffer.from(await answer.arrayBuffer())
      const middle = body.length >> 1
      if (request.url === path) body.writeUInt8(body.readUInt8(middle) ^ 1, middle)
      response.writeHead(answer.status).end(body)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}
