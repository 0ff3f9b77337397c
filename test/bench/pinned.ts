/** Processes that run on one CPU. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'

/** Runs a program to its end. @throws Error with what it wrote to stderr, for another exit code than 0 */
export async function runPinned(
  cpu: number,
  program: string,
  args: readonly string[],
): Promise<string> {
  const child = spawn('taskset', ['-c', String(cpu), program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = await ended(child)
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}: ${errors}`)
  return output
}

/** A server on one CPU; `pid` is its own, since taskset becomes the program that it starts. */
export interface PinnedServer {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

const READY_MS = 60_000
const POLL_MS = 50

/** @throws Error when `path` does not answer 200 in time */
export async function servePinned(
  cpu: number,
  path: string,
  argv: (port: number) => readonly string[],
): Promise<PinnedServer> {
  const port = await freePort()
  const child = spawn('taskset', ['-c', String(cpu), ...argv(port)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const end = ended(child)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await end
  }
  for (let waited = 0; waited < READY_MS && child.exitCode === null; waited += POLL_MS) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return { port, pid: child.pid!, stop }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  await stop()
  throw new Error(`${argv(port).join(' ')} was not ready`)
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
