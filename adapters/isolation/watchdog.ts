/**
 * A synchronous endless loop in the process stops every deadline there is. The watchdog is a worker that sees the event loop stand
 * still and ends the process: one line on stderr, exit code 70 (EX_SOFTWARE). A supervisor starts it again; the log is as durable as
 * after any crash.
 */
import { Worker } from 'node:worker_threads'

export interface Watchdog {
  stop(): Promise<void>
}

/** `seconds` the event loop may be blocked, at least 0.1. The process can still end by itself. */
export async function startWatchdog(seconds: number): Promise<Watchdog> {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const file = import.meta.url.endsWith('.ts') ? './watchdog-main.ts' : './watchdog-main.js'
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { beats, blockedMs: seconds * 1000 },
    env: {},
    // The process's own options may not fit a second entry point (`--eval`, `--input-type`).
    execArgv: [],
  })
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  worker.unref()
  const timer = setInterval(() => Atomics.add(beats, 0, 1), (seconds * 1000) / 8)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await worker.terminate()
    },
  }
}
