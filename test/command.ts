/** The `assay` command in this process: the same code, without starting one. */
import { run } from '../cli/run.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function assay(...args: string[]): Promise<Ran> {
  const text = { stdout: '', stderr: '' }
  const writer = (name: keyof typeof text): { write(part: string): void } => ({
    write: (part) => {
      text[name] += part
    },
  })
  const streams = { stdout: writer('stdout'), stderr: writer('stderr'), env: {} }
  return { code: await run(args, streams), ...text }
}
