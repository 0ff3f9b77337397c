/** What a process holds, as the system sees it. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Holding {
  readonly rssMiB: number
  readonly files: number
}

export function holdingOf(pid: number): Holding {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  return { rssMiB: Math.round(rss / 1024), files: readdirSync(`/proc/${pid}/fd`).length }
}
