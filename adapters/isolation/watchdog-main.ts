/** Runs inside the watchdog's worker. */
import { closeSync, writeSync } from 'node:fs'
import { type Debugger, Session } from 'node:inspector'
import { parentPort, workerData } from 'node:worker_threads'

const { beats, blockedMs } = workerData as { beats: Int32Array; blockedMs: number }
const intervalMs = Math.max(20, blockedMs / 8)
let seen = Atomics.load(beats, 0)
let stillMs = 0

const timer = setInterval(() => {
  const now = Atomics.load(beats, 0)
  stillMs = now === seen ? stillMs + intervalMs : 0
  seen = now
  if (stillMs < blockedMs) return
  clearInterval(timer)
  endProcess()
}, intervalMs)
parentPort?.postMessage('watching')

function endProcess(): void {
  writeSync(
    2,
    `assay: blocked for ${Math.round(blockedMs / 1000)} s: ending with exit code 70; isolate the plugin or engine that hangs\n`,
  )
  // Node reports an attached debugger on stderr at exit; one line is enough.
  closeSync(2)
  // process.exit() in a worker ends the worker alone. Only code on the blocked thread itself can choose the exit code, and a debugger
  // pause is what reaches into a running loop.
  const session = new Session()
  session.connectToMainThread()
  session.once('Debugger.paused', ({ params }: { params: Debugger.PausedEventDataType }) => {
    const frame = params.callFrames[0]
    if (frame === undefined) return
    session.post('Debugger.evaluateOnCallFrame', {
      callFrameId: frame.callFrameId,
      expression: 'process.exit(70)',
    })
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
  // Blocked in native code that runs no JavaScript.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2000)
}
