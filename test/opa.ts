/** OPA's own server and Assay's over the same policies, each as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Server } from './server.ts'
import { root } from './source.ts'
import { opaProgram } from './tools.ts'

/** Where anonymous peers may push documents. */
export const OPEN_POLICIES: string = join(root, 'examples/opa-migration/policies')

export interface Running {
  readonly url: string
  stop(): Promise<void>
}

/** A folder of files, for one test. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<{
  readonly dir: string
  remove(): Promise<void>
}> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-opa-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

/** `assay serve` over an OPA bundle or folder. The data folder is the caller's when it is given, and stays. */
export async function serveAssay(
  opa: object,
  options: { data?: string; policies?: string } = {},
): Promise<Running> {
  const { policies = OPEN_POLICIES } = options
  const config = { opa, policies, plugins: ['audit'] }
  const place = await folderOf({ 'assay.json': JSON.stringify(config) })
  const data = options.data ?? join(place.dir, 'data')
  const server = new Server({ data, config: join(place.dir, 'assay.json') })
  const stop = async (): Promise<void> => {
    await server.stop()
    await place.remove()
  }
  try {
    return { url: await server.ready, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** OPA's server; `args` name what it loads. */
export async function serveOpa(...args: readonly string[]): Promise<Running> {
  const port = await freePort()
  const program = await opaProgram()
  const address = `127.0.0.1:${port}`
  const child = spawn(program, ['run', '--server', '--addr', address, ...args], { stdio: 'pipe' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  try {
    await healthy(child, `http://${address}`)
    return { url: `http://${address}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

async function healthy(child: ChildProcess, url: string): Promise<void> {
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.ok) return
    if (child.exitCode !== null) break
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`OPA does not answer: ${output}`)
}
