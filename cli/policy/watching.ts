/** Does something again whenever a file of a policy folder is saved, until the command is interrupted. */
import { watchFolder } from '../../adapters/policies/folder.ts'
import type { ExitCode, Out } from '../out.ts'

/** The exit code is that of the last time. */
export async function whileWatching(
  path: string,
  out: Out,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  let code: ExitCode = 0
  let waiting = false
  let running: Promise<void> = Promise.resolve()
  const round = async (): Promise<void> => {
    waiting = false
    try {
      code = await work()
    } catch (error) {
      code = 2
      out.error(error)
    }
  }
  // Whatever is saved while a round runs is looked at in one round after it.
  const again = (): void => {
    if (waiting) return
    waiting = true
    running = running.then(round)
  }
  const watch = watchFolder(path, again, { part: 'all', onError: (error) => out.error(error) })
  again()
  await interrupted()
  await watch.close()
  await running
  return code
}

/** Ctrl-C, or an operator's `kill`. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    // A watch keeps no process alive.
    const alive = setInterval(() => {}, 60_000)
    const stop = (): void => {
      clearInterval(alive)
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve()
    }
    process.on('SIGINT', stop).on('SIGTERM', stop)
  })
}
