import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { RUN_FOLDER, type Running, shared, startServer, stopAll } from './shared.ts'

const run = mkdtempSync(join(tmpdir(), 'assay-shared-'))
afterAll(() => rmSync(run, { recursive: true }))

const SCRIPT = `
  const server = require('node:http').createServer((_, answer) => answer.end('here'))
  server.listen(0, '127.0.0.1', () => console.log('PORT ' + server.address().port))`
const portIn = (said: string): string | undefined => /PORT (\d+)/.exec(said)?.[1]

interface Web extends Running {
  readonly url: string
}
async function web(folder: string): Promise<Web> {
  const logFile = join(folder, 'log')
  const args = ['-e', SCRIPT]
  const ready = async (said: string): Promise<boolean> => portIn(said) !== undefined
  const { pid } = await startServer({ command: process.execPath, args, logFile, ready })
  return { pid, url: `http://127.0.0.1:${portIn(readFileSync(logFile, 'utf8'))}` }
}

const CHILD = `
  const { shared } = await import(process.argv[1])
  const running = await shared('web', () => { throw new Error('a second one') })
  console.log(JSON.stringify(running))`
const inAnotherProcess = (): Promise<Web> =>
  new Promise((resolve, reject) => {
    const args = ['--input-type=module', '-e', CHILD, join(import.meta.dirname, 'shared.ts')]
    const env = { ...process.env, [RUN_FOLDER]: run }
    execFile(process.execPath, args, { env }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout) as Web),
    )
  })

test('a server is started once, serves every process, and ends with the run', async () => {
  const outer = process.env[RUN_FOLDER]
  process.env[RUN_FOLDER] = run
  try {
    const [first, ...others] = await Promise.all([shared('web', web), shared('web', web)])
    const other = await inAnotherProcess()
    expect([...others, other]).toEqual([first, first])
    expect(await (await fetch(first.url)).text()).toBe('here')
    stopAll(run)
    await expect.poll(() => fetch(first.url).catch(() => 'gone')).toBe('gone')
  } finally {
    process.env[RUN_FOLDER] = outer
  }
})

test('whoever asks for a server that does not start is told', async () => {
  const outer = process.env[RUN_FOLDER]
  process.env[RUN_FOLDER] = run
  try {
    const failing = (folder: string): Promise<Running> =>
      startServer({
        command: process.execPath,
        args: ['-e', 'process.exit(3)'],
        logFile: join(folder, 'log'),
        ready: async () => false,
      })
    await expect(shared('none', failing)).rejects.toThrow('ended with 3')
    await expect(shared('none', failing)).rejects.toThrow('ended with 3')
  } finally {
    process.env[RUN_FOLDER] = outer
  }
})
