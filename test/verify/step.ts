/** One step of `npm run verify`: a name, what it runs, and how many tests that counts for. */
import { spawn } from 'node:child_process'
import { root } from '../source.ts'

export interface Tally {
  readonly passed: number
  readonly failed: number
  /** Printed in full when something failed. */
  readonly output: string
  /** What else the step's line says. */
  readonly note?: string
}
export interface Step {
  readonly name: string
  run(): Promise<Tally>
}
export interface Ran {
  readonly ok: boolean
  readonly stdout: string
  /** Both streams as they came. */
  readonly output: string
}
export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly limitMs?: number
  /** Pass the output on while it comes. */
  readonly live?: boolean
}

/** Runs one command in the repository's root; past `limitMs` (default 8 minutes) its whole process group is killed. */
export function command(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, limitMs = 8 * 60_000, live = false } = options
  const [program = '', ...args] = argv
  const child = spawn(program, args, {
    cwd: root,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) running.add(child.pid)
  let stdout = ''
  let output = `$ ${argv.join(' ')}\n`
  const take = (text: string): void => {
    output += text
    if (live) process.stdout.write(text)
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    take(text)
  })
  child.stderr.setEncoding('utf8').on('data', take)
  const timer = setTimeout(() => {
    take(`\nstopped: it ran longer than ${limitMs / 1000} s\n`)
    killGroup(child.pid)
  }, limitMs)
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      clearTimeout(timer)
      running.delete(child.pid ?? 0)
      resolve({ ok, stdout, output })
    }
    child.once('error', (error) => {
      take(`${error.message}\n`)
      end(false)
    })
    child.once('close', (code) => end(code === 0))
  })
}

/** Leaders of process groups that would outlive this process. */
const running = new Set<number>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    for (const pid of running) killGroup(pid)
    console.log('0 passed, 1 failed')
    process.exit(1)
  })

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}

/** A step that counts as one test: every command must end with 0; the first that does not ends it. */
export function oneTest(name: string, ...commands: readonly (readonly string[])[]): Step {
  return {
    name,
    run: async () => {
      let output = ''
      for (const argv of commands) {
        const ran = await command(argv)
        output += ran.output
        if (!ran.ok) return { passed: 0, failed: 1, output }
      }
      return { passed: 1, failed: 0, output }
    },
  }
}

/** Runs `steps` with at most `width` at once, in order, and says a line for each as it ends. */
export async function runSteps(steps: readonly Step[], width: number): Promise<Tally[]> {
  const waiting = [...steps]
  const tallies: Tally[] = []
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      tallies.push(await runStep(step))
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return tallies
}

async function runStep({ name, run }: Step): Promise<Tally> {
  const start = performance.now()
  const broke = (error: unknown): Tally => ({ passed: 0, failed: 1, output: String(error) })
  const tally = await run().catch(broke)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const { passed, failed, note = '', output } = tally
  if (failed > 0) console.log(output)
  const mark = failed === 0 ? 'ok  ' : 'FAIL'
  console.log(`${mark} ${name.padEnd(26)} ${passed} passed, ${failed} failed, ${seconds} s ${note}`)
  return tally
}
